import type { GateSpec, Metric, Verdict } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary, simulateRegression } from '../testing/simulated-models.ts';
import { decideNotWorse } from './not-worse.ts';

const SIMULATIONS = 400;
const CONFIDENCE = 0.95;
/** Of 400 simulations at 5 % this many standard errors (1.1 %) may be exceeded by chance once in a hundred seeds. */
const MONTE_CARLO = 2.33 * Math.sqrt((0.05 * 0.95) / SIMULATIONS);

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

interface Models {
  candidate: ScoredRows;
  champion: ScoredRows;
}

/** How often each verdict is given over simulated days of test rows. */
async function verdicts(
  { days = SIMULATIONS, ...gate }: { metric: Metric; margin: number; days?: number },
  simulate: (random: RandomStream) => Models,
): Promise<Record<Verdict, number>> {
  const spec: GateSpec = { kind: 'notWorse', confidence: CONFIDENCE, replicates: 300, ...gate };
  const shares: Record<Verdict, number> = { pass: 0, fail: 0, inconclusive: 0, 'no-baseline': 0 };
  for (let day = 0; day < days; day++) {
    const { candidate, champion } = simulate(new RandomStream(['margin', gate.metric, String(day)]));
    const { report } = await decideNotWorse({
      gate: spec,
      // The day stands in the dataset's digest: every simulation draws its own resamples.
      dataset: `sha256:${String(day).padStart(64, '0')}`,
      candidate: { artifact: digest('a'), scored: candidate },
      champion: { model: 'm', version: 1, artifact: digest('b'), answers: { scored: champion } },
    });
    shares[report.verdict] += 1 / days;
  }
  return shares;
}

function binaryModels(random: RandomStream, candidateAuc: number): Models {
  const { labels, candidate, champion } = simulateBinary({
    random,
    rows: 500,
    candidateAuc,
    championAuc: 0.75,
  });
  const decision = new Uint8Array(labels.length);
  return {
    candidate: { kind: 'binary', labels, probability: candidate, decision },
    champion: { kind: 'binary', labels, probability: champion, decision },
  };
}

function regressionModels(random: RandomStream, candidateRmse: number): Models {
  const { labels, candidate, champion } = simulateRegression({
    random,
    rows: 500,
    candidateRmse,
    championRmse: 10,
  });
  return {
    candidate: { kind: 'regression', labels, value: candidate },
    champion: { kind: 'regression', labels, value: champion },
  };
}

describe('a candidate that is worse by exactly the margin', () => {
  it('passes no more often than the confidence allows, by AUC', async () => {
    const shares = await verdicts({ metric: 'auc', margin: 0.03 }, (random) => binaryModels(random, 0.72));
    expect(shares.pass).toBeLessThanOrEqual(1 - CONFIDENCE + MONTE_CARLO);
    expect(shares.fail).toBeLessThanOrEqual(1 - CONFIDENCE + MONTE_CARLO);
    // The bounds hold what they promise and no more: a gate that never decided would pass the two lines above.
    expect(shares.pass).toBeGreaterThanOrEqual(1 - CONFIDENCE - MONTE_CARLO);
    expect(shares.fail).toBeGreaterThanOrEqual(1 - CONFIDENCE - MONTE_CARLO);
  });

  it('passes no more often than the confidence allows, by RMSE', async () => {
    const shares = await verdicts({ metric: 'rmse', margin: 0.5 }, (random) =>
      regressionModels(random, 10.5),
    );
    expect(shares.pass).toBeLessThanOrEqual(1 - CONFIDENCE + MONTE_CARLO);
    expect(shares.fail).toBeLessThanOrEqual(1 - CONFIDENCE + MONTE_CARLO);
    expect(shares.pass).toBeGreaterThanOrEqual(1 - CONFIDENCE - MONTE_CARLO);
    expect(shares.fail).toBeGreaterThanOrEqual(1 - CONFIDENCE - MONTE_CARLO);
  });
});

describe('a candidate that is as good as the champion', () => {
  it('passes mostly, at a margin that the rows can show', async () => {
    const shares = await verdicts({ metric: 'auc', margin: 0.05, days: 100 }, (random) =>
      binaryModels(random, 0.75),
    );
    expect(shares.pass).toBeGreaterThan(0.9);
    expect(shares.fail).toBe(0);
  });
});
