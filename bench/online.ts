import { loadOf, startBareServer } from './online/measure.ts';
import { startRealServer } from './online/real-server.ts';

/** Requests of one row through the whole server (validation, authorisation, metrics, journal), against a bare handler that parses the JSON and answers a constant; alternating. */
const ROUNDS = 3;
const SECONDS = 3;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const bare = await startBareServer();
for (const durability of ['none', 'disk']) {
  const server = await startRealServer({ variables: { PERENNIAL_DURABILITY: durability } });
  for (const connections of [32, 128]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const plan = { connections, seconds: SECONDS };
      theirs.push((await loadOf({ url: bare.url, path: '/', headers: {} }, plan)).perSecond);
      const { goodPerSecond, errors } = await loadOf(server, plan);
      if (Object.keys(errors).length > 0) console.log(errors);
      ours.push(goodPerSecond);
    }
    const [a, b] = [median(ours), median(theirs)];
    console.log(
      `durability ${durability}, ${connections} connections: ${a.toFixed(0)} predictions a second, ${b.toFixed(0)} bare requests: ${(a / b).toFixed(2)}`,
    );
  }
  await server.close();
}
bare.close();
