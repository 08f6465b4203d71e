import { parseArgs } from 'node:util';
import { RandomStream, compareAucByDeLong, estimateDifference } from '@perennial/validation';
import { simulateModels } from '@perennial/validation/testing';

const USAGE = `Times the gate's comparison of two AUCs, end to end: sorting, resampling, bounds, p-values.

  --rows N        default 1,000,000
  --replicates N  default 10,000
  --short         50,000 rows and 1,000 replicates, which no limit is set for: to see that it runs
`;

interface Size {
  rows: number;
  replicates: number;
}

/** What the full size may take. */
const LIMIT_SECONDS = 10;
const FULL: Size = { rows: 1_000_000, replicates: 10_000 };
const SHORT: Size = { rows: 50_000, replicates: 1_000 };

function readSize(): Size | undefined {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string' },
      replicates: { type: 'string' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { rows, replicates } = values.short ? SHORT : FULL;
  const size = { rows: Number(values.rows ?? rows), replicates: Number(values.replicates ?? replicates) };
  for (const [name, value] of Object.entries(size)) {
    if (!Number.isInteger(value) || value < 100)
      throw new Error(`--${name} is a whole number of at least 100`);
  }
  return size;
}

/** The longest time that passed between two turns of the event loop, in milliseconds. */
function watchTurns(): { longest: () => number; turned: () => void } {
  let last = performance.now();
  let longest = 0;
  return {
    longest: () => longest,
    turned: () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    },
  };
}

async function measure({ rows, replicates }: Size): Promise<void> {
  const models = simulateModels('auc', { random: new RandomStream(['bench']), rows, worseBy: 0 });
  const { candidate, champion } = models;
  if (candidate.kind !== 'binary' || champion.kind !== 'binary') throw new Error('AUC has binary labels');
  const turns = watchTurns();
  const start = performance.now();
  const startCpu = process.cpuUsage();
  const found = await estimateDifference({
    spec: { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates },
    error: 0.05,
    seed: ['bench'],
    candidate,
    champion,
    clusters: null,
    onProgress: turns.turned,
  });
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(startCpu);
  if (found.kind !== 'estimate') throw new Error(found.reason);
  const { interval } = compareAucByDeLong(
    { labels: candidate.labels, first: candidate.probability, second: champion.probability },
    0.9,
  )!;
  const { low, high } = found.difference.interval;
  const full = rows === FULL.rows && replicates === FULL.replicates;
  const count = new Intl.NumberFormat('en-US');
  console.log(
    `paired AUC difference, ${count.format(replicates)} replicates over ${count.format(rows)} rows`,
  );
  console.log(`  time               ${seconds.toFixed(2)} s`);
  if (full) console.log(`  of the limit       ${(seconds / LIMIT_SECONDS).toFixed(2)} (${LIMIT_SECONDS} s)`);
  // On a machine that is busy with other things this is what counts.
  console.log(`  processor time     ${((user + system) / 1e6).toFixed(2)} s`);
  console.log(`  width to DeLong's  ${((high - low) / (interval.high - interval.low)).toFixed(3)}`);
  console.log(`  longest turn       ${turns.longest().toFixed(0)} ms`);
}

const size = readSize();
if (size === undefined) console.log(USAGE);
else await measure(size);
