import { runLoad } from '../load/run-load.ts';
import { loadOf } from './measure.ts';
import { benchBody } from './network.ts';
import { startRealServer } from './real-server.ts';

/** Requests of one row at a steady rate, alone and beside requests of 50,000 rows one after another: how much their p99 grows. Arguments: rate (1000), seconds (6). */
const [rate = '1000', seconds = '6'] = process.argv.slice(2);

const server = await startRealServer({ variables: { PERENNIAL_MAX_BODY_BYTES: String(32 * 1024 * 1024) } });
const plan = { connections: 32, seconds: Number(seconds), rate: Number(rate) };
try {
  const alone = await loadOf(server, plan);
  const large = runLoad({
    url: server.url,
    path: server.path,
    headers: server.headers,
    body: benchBody(50_000),
    connections: 1,
    durationSeconds: plan.seconds,
  });
  const beside = await loadOf(server, plan);
  const { requests, p50, errors } = await large;
  for (const [name, { p50, p99, max, errors }] of [
    ['alone', alone],
    ['beside 50,000 rows', beside],
  ] as const)
    console.log(
      `${name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${max.toFixed(1)} ms ${JSON.stringify(errors)}`,
    );
  console.log(`p99 grows by ${(beside.p99 - alone.p99).toFixed(2)} ms`);
  console.log(`large requests: ${requests} answered, p50 ${p50.toFixed(0)} ms ${JSON.stringify(errors)}`);
} finally {
  await server.close();
}
