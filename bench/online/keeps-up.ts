import { setTimeout as sleep } from 'node:timers/promises';
import { median, perSecond, verdict } from '../serving/rounds.ts';
import { loadOf } from './measure.ts';
import { startRealServer, type RealServer } from './real-server.ts';

/**
 * Whether predictions come to the database as fast as they are answered: the server at half of its capacity, every prediction on the disk before its answer, and the number of those that are not in
 * the database yet looked at four times a second. Arguments: seconds (20), connections (128).
 */
const [seconds = '20', connections = '128'] = process.argv.slice(2);
const LOOKS_PER_SECOND = 4;
/** Rows that wait are those of so many seconds at most. A batch is up to half a second's, and two are on their way. */
const MOST_SECONDS = 2;
const WAITING = /^perennial_shipper_waiting_records (\S+)$/m;

async function waitingIn({ url }: RealServer): Promise<number> {
  const metrics = await fetch(`${url}/metrics`);
  return Number(WAITING.exec(await metrics.text())?.[1]);
}

async function capacityOf(server: RealServer): Promise<number> {
  const found: number[] = [];
  for (let round = 0; round < 3; round++)
    found.push((await loadOf(server, { connections: Number(connections), seconds: 3 })).goodPerSecond);
  return median(found);
}

/** Seconds until everything is in the database. */
async function shipped(server: RealServer): Promise<number> {
  const started = performance.now();
  while ((await waitingIn(server)) > 0) await sleep(50);
  return (performance.now() - started) / 1_000;
}

const server = await startRealServer({ variables: { PERENNIAL_DURABILITY: 'disk' } });
try {
  const capacity = await capacityOf(server);
  console.log(
    `capacity ${perSecond(capacity)}; what was put on record meanwhile is shipped after ${(await shipped(server)).toFixed(1)} s`,
  );
  const waiting: number[] = [];
  const watch = setInterval(
    () => void waitingIn(server).then((rows) => waiting.push(rows)),
    1_000 / LOOKS_PER_SECOND,
  );
  const rate = capacity / 2;
  const { goodPerSecond, errors } = await loadOf(server, {
    connections: Number(connections),
    seconds: Number(seconds),
    rate,
  });
  clearInterval(watch);
  const left = await shipped(server);
  const half = Math.floor(waiting.length / 2);
  const [first, second] = [Math.max(...waiting.slice(0, half)), Math.max(...waiting.slice(half))];
  console.log(
    `at ${perSecond(rate)} for ${seconds} s: ${perSecond(goodPerSecond)} answered ${JSON.stringify(errors)}; at most ${first} rows wait in the first half, ${second} in the second; all are in the database ${left.toFixed(2)} s after the last`,
  );
  verdict('rows that wait in the second half, in seconds of the rate', second / rate, {
    atMost: MOST_SECONDS,
  });
} finally {
  await server.close();
}
