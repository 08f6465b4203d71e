import type { LoadResult } from './load/load.ts';
import { loadOf, processorMicroseconds, startBareServer, type LoadPlan } from './online/measure.ts';
import { startRealServer } from './online/real-server.ts';

/**
 * Requests of one row through the whole server (validation, authorisation, metrics, journal), against a bare handler that parses the JSON and answers a constant; alternating. Beside the
 * requests a second it prints the processor time of one, which does not hang on what else the machine does. Arguments: rounds (3), seconds (3).
 */
const [rounds = '3', seconds = '3'] = process.argv.slice(2);

interface Measured {
  perSecond: number[];
  microseconds: number[];
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const nothing = (): Measured => ({ perSecond: [], microseconds: [] });

interface Target {
  url: string;
  path: string;
  headers: Record<string, string>;
  pid: number;
}

async function measure(target: Target, plan: LoadPlan, into: Measured): Promise<LoadResult> {
  const before = processorMicroseconds(target.pid);
  const result = await loadOf(target, plan);
  const spent = processorMicroseconds(target.pid) - before;
  // The warm-up second is in it as well.
  const requests = result.requests * (1 + 1 / plan.seconds);
  into.perSecond.push(result.goodPerSecond);
  into.microseconds.push(spent / requests);
  if (Object.keys(result.errors).length > 0) console.log(result.errors);
  return result;
}

const bare = await startBareServer();
for (const durability of ['none', 'disk']) {
  const server = await startRealServer({ variables: { PERENNIAL_DURABILITY: durability } });
  try {
    for (const connections of [32, 128]) {
      const [ours, theirs] = [nothing(), nothing()];
      for (let round = 0; round < Number(rounds); round++) {
        const plan = { connections, seconds: Number(seconds) };
        await measure({ url: bare.url, path: '/', headers: {}, pid: bare.pid }, plan, theirs);
        await measure({ ...server, pid: server.process.pid ?? 0 }, plan, ours);
      }
      console.log(
        `durability ${durability}, ${connections} connections: ${median(ours.perSecond).toFixed(0)} predictions a second (${median(ours.microseconds).toFixed(0)} us of processor time each), ` +
          `${median(theirs.perSecond).toFixed(0)} bare requests (${median(theirs.microseconds).toFixed(0)} us): ratios ${(median(ours.perSecond) / median(theirs.perSecond)).toFixed(2)} and ${(median(theirs.microseconds) / median(ours.microseconds)).toFixed(2)}`,
      );
    }
  } finally {
    await server.close();
  }
}
bare.close();
