import type { NotWorseSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { compareAucByDeLong } from '../statistics/delong.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary, simulateEntities, simulateModels } from '../testing/simulated-models.ts';
import { estimateDifference, type ComparisonEstimate, type ComparisonQuestion } from './compare.ts';

const ERROR = 0.05;

/** The share that 5 % of so many simulations does not exceed by chance but for one seed in a hundred. */
const monteCarlo = (simulations: number): number => 2.33 * Math.sqrt((ERROR * (1 - ERROR)) / simulations);

type Estimated = Extract<ComparisonEstimate, { kind: 'estimate' }>;

async function estimate(
  spec: Pick<NotWorseSpec, 'metric' | 'margin'> & Partial<NotWorseSpec>,
  question: Pick<ComparisonQuestion, 'candidate' | 'champion' | 'seed'> & Partial<ComparisonQuestion>,
): Promise<Estimated> {
  const found = await estimateDifference({
    spec: { kind: 'notWorse', confidence: 1 - ERROR, replicates: 400, ...spec },
    error: ERROR,
    clusters: null,
    ...question,
  });
  if (found.kind !== 'estimate') throw new Error(found.reason);
  return found;
}

/** How many of the simulations are shown to be not worse, and how many to be worse. */
async function shares(
  simulations: number,
  simulate: (random: RandomStream, seed: string[]) => Promise<Estimated>,
): Promise<{ pass: number; fail: number }> {
  let pass = 0;
  let fail = 0;
  for (let simulation = 0; simulation < simulations; simulation++) {
    const seed = ['margin', String(simulation)];
    const found = await simulate(new RandomStream(seed), seed);
    if (found.pNotWorse < ERROR) pass++;
    if (found.pWorse < ERROR) fail++;
  }
  return { pass: pass / simulations, fail: fail / simulations };
}

describe('a candidate that is worse by exactly the margin', () => {
  const CANDIDATES = 2_000;

  it.each([
    { metric: 'auc', margin: 0.03 },
    { metric: 'logLoss', margin: 0.01 },
    { metric: 'accuracy', margin: 0.03 },
    { metric: 'rmse', margin: 0.5 },
  ] as const)('passes no more often than the confidence allows, by $metric', async ({ metric, margin }) => {
    const { pass, fail } = await shares(CANDIDATES, (random, seed) =>
      estimate(
        { metric, margin },
        { ...simulateModels(metric, { random, rows: 300, worseBy: margin }), seed },
      ),
    );
    expect(pass).toBeLessThanOrEqual(ERROR + monteCarlo(CANDIDATES));
    expect(fail).toBeLessThanOrEqual(ERROR + monteCarlo(CANDIDATES));
    // The bounds hold what they promise and hardly more: a gate that never decided would pass the two lines above. Accuracy's is a
    // little wider, since it covers what few disagreements cannot show.
    const slack = metric === 'accuracy' ? 0.01 : 0;
    expect(pass).toBeGreaterThanOrEqual(ERROR - monteCarlo(CANDIDATES) - slack);
    expect(fail).toBeGreaterThanOrEqual(ERROR - monteCarlo(CANDIDATES) - slack);
  });

  it('passes as seldom at the error that a worn test set leaves, where the normal tail stands for the replicates', async () => {
    const error = 0.005;
    let pass = 0;
    for (let simulation = 0; simulation < CANDIDATES; simulation++) {
      const random = new RandomStream(['worn', String(simulation)]);
      const models = simulateModels('rmse', { random, rows: 300, worseBy: 0.5 });
      const found = await estimate(
        { metric: 'rmse', margin: 0.5, replicates: 200 },
        { ...models, seed: [String(simulation)], error },
      );
      if (found.pNotWorse < error) pass++;
    }
    expect(pass / CANDIDATES).toBeLessThanOrEqual(error + 2.33 * Math.sqrt(error / CANDIDATES));
    expect(pass).toBeGreaterThan(0);
  });
});

describe('a candidate that is as good as the champion', () => {
  it.each([
    { metric: 'auc', margin: 0.05 },
    { metric: 'logLoss', margin: 0.03 },
    { metric: 'accuracy', margin: 0.06 },
    { metric: 'rmse', margin: 1 },
  ] as const)('passes mostly, at a margin that 500 rows can show, by $metric', async ({ metric, margin }) => {
    const { pass, fail } = await shares(200, (random, seed) =>
      estimate({ metric, margin }, { ...simulateModels(metric, { random, rows: 500, worseBy: 0 }), seed }),
    );
    expect(pass).toBeGreaterThan(0.9);
    expect(fail).toBe(0);
  });
});

describe('the bootstrap of AUC', () => {
  it('gives DeLong’s verdict and nearly its interval', async () => {
    const DAYS = 200;
    const ROWS = 600;
    const MARGIN = 0.02;
    let same = 0;
    let distance = 0;
    for (let day = 0; day < DAYS; day++) {
      const random = new RandomStream(['delong', String(day)]);
      // From clearly better than the margin allows to clearly worse: the standard error is 0.014.
      const candidateAuc = 0.83 - 0.2 * random.nextFraction();
      const models = simulateBinary({ random, rows: ROWS, candidateAuc, championAuc: 0.75 });
      const answers = (probability: Float32Array) => ({
        kind: 'binary' as const,
        labels: models.labels,
        probability,
        decision: new Uint8Array(ROWS),
      });
      const found = await estimate(
        { metric: 'auc', margin: MARGIN, replicates: 3_000 },
        { candidate: answers(models.candidate), champion: answers(models.champion), seed: [String(day)] },
      );
      const { interval } = compareAucByDeLong(
        { labels: models.labels, first: models.candidate, second: models.champion },
        1 - 2 * ERROR,
      )!;
      const byDeLong = [interval.low > -MARGIN, interval.high < -MARGIN];
      if (found.pNotWorse < ERROR === byDeLong[0] && found.pWorse < ERROR === byDeLong[1]) same++;
      const width = interval.high - interval.low;
      const { low, high } = found.difference.interval;
      distance += (Math.abs(low - interval.low) + Math.abs(high - interval.high)) / 2 / width / DAYS;
    }
    expect(same / DAYS).toBeGreaterThanOrEqual(0.99);
    expect(distance).toBeLessThan(0.025);
  });
});

describe('rows that come in clusters', () => {
  const CANDIDATES = 1_000;
  const MARGIN = 1;

  async function passing(clustered: boolean): Promise<number> {
    const { pass } = await shares(CANDIDATES, (random, seed) => {
      const { candidate, champion, clusters } = simulateEntities({
        random,
        entities: 60,
        rowsPerEntity: 8,
        worseBy: MARGIN,
      });
      return estimate(
        { metric: 'rmse', margin: MARGIN },
        { candidate, champion, seed, clusters: clustered ? clusters : null },
      );
    });
    return pass;
  }

  it('let far too many candidates past when they are resampled one by one', async () => {
    expect(await passing(false)).toBeGreaterThan(2 * ERROR + monteCarlo(CANDIDATES));
  });

  it('keep the error when their clusters are resampled whole', async () => {
    const pass = await passing(true);
    expect(pass).toBeLessThanOrEqual(ERROR + monteCarlo(CANDIDATES));
    expect(pass).toBeGreaterThanOrEqual(ERROR - monteCarlo(CANDIDATES) - 0.01);
  });
});
