import type { RegressionRows, ScoredRows } from '../scoring/scored-rows.ts';
import { normalQuantile } from '../statistics/normal.ts';
import type { RandomStream } from '../statistics/random.ts';

/** A standard normal number. */
export function nextNormal(random: RandomStream): number {
  return random.nextNormal();
}

/** Two models' answers for the same rows. */
export interface SimulatedModels {
  candidate: ScoredRows;
  champion: ScoredRows;
}

/** The metrics that {@link simulateModels} knows the truth of. */
export const SIMULATED_METRICS = ['auc', 'logLoss', 'accuracy', 'rmse'] as const;
export type SimulatedMetric = (typeof SIMULATED_METRICS)[number];

export interface SimulationOptions {
  random: RandomStream;
  rows: number;
  /** By how much the candidate is truly worse than the champion, in the metric; negative: better. */
  worseBy: number;
}

/**
 * Rows and the answers of two models, of which the true difference in the metric is known. The champion has an AUC of 0.75, an accuracy of
 * 0.75, an RMSE of 10, or a log loss 0.02 above the least possible; the models' errors are correlated, as those of two models of the same
 * features are.
 */
export function simulateModels(metric: SimulatedMetric, options: SimulationOptions): SimulatedModels {
  switch (metric) {
    case 'auc':
      return simulateRanking(options);
    case 'logLoss':
      return simulateProbabilities(options);
    case 'accuracy':
      return simulateDecisions(options);
    case 'rmse':
      return simulateErrors(options);
  }
}

function simulateRanking({ random, rows, worseBy }: SimulationOptions): SimulatedModels {
  const models = simulateBinary({ random, rows, candidateAuc: 0.75 - worseBy, championAuc: 0.75 });
  const decision = new Uint8Array(rows);
  const answers = (probability: Float32Array): ScoredRows => ({
    kind: 'binary',
    labels: models.labels,
    probability,
    decision,
  });
  return { candidate: answers(models.candidate), champion: answers(models.champion) };
}

function simulateErrors({ random, rows, worseBy }: SimulationOptions): SimulatedModels {
  const models = simulateRegression({ random, rows, candidateRmse: 10 + worseBy, championRmse: 10 });
  const answers = (value: Float32Array): ScoredRows => ({ kind: 'regression', labels: models.labels, value });
  return { candidate: answers(models.candidate), champion: answers(models.champion) };
}

/** Labels of 1; a model is right where its noise lies below the quantile of its accuracy. */
function simulateDecisions({ random, rows, worseBy }: SimulationOptions): SimulatedModels {
  const limits = { candidate: normalQuantile(0.75 - worseBy), champion: normalQuantile(0.75) };
  const labels = new Uint8Array(rows).fill(1);
  const candidate = new Uint8Array(rows);
  const champion = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const [first, second] = correlatedNoise(random);
    candidate[row] = first < limits.candidate ? 1 : 0;
    champion[row] = second < limits.champion ? 1 : 0;
  }
  const answers = (decision: Uint8Array): ScoredRows => ({
    kind: 'binary',
    labels,
    probability: new Float32Array(rows).fill(0.5),
    decision,
  });
  return { candidate: answers(candidate), champion: answers(champion) };
}

/** True log odds of the rows, equally frequent: probabilities of 5 % to 95 %. */
const LOG_ODDS = Array.from({ length: 19 }, (_, step) => Math.log((step + 1) / (19 - step)));
/** How far the champion's log odds are off, up or down. */
const CHAMPION_SHIFT = 0.5;

/** The probabilities of both models are off by a fixed shift of the log odds, up or down, mostly the same way. */
function simulateProbabilities({ random, rows, worseBy }: SimulationOptions): SimulatedModels {
  const candidateShift = shiftOfLoss(expectedLoss(CHAMPION_SHIFT) + worseBy);
  const labels = new Uint8Array(rows);
  const candidate = new Float32Array(rows);
  const champion = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const odds = LOG_ODDS[Math.floor(random.nextFraction() * LOG_ODDS.length)]!;
    const sign = random.nextFraction() < 0.5 ? 1 : -1;
    const same = random.nextFraction() < SHARED_NOISE ? 1 : -1;
    labels[row] = random.nextFraction() < logistic(odds) ? 1 : 0;
    candidate[row] = logistic(odds + sign * same * candidateShift);
    champion[row] = logistic(odds + sign * CHAMPION_SHIFT);
  }
  const decision = new Uint8Array(rows);
  const answers = (probability: Float32Array): ScoredRows => ({
    kind: 'binary',
    labels,
    probability,
    decision,
  });
  return { candidate: answers(candidate), champion: answers(champion) };
}

/** The shift whose expected loss is this one. */
function shiftOfLoss(loss: number): number {
  let low = 0;
  let high = 8;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (expectedLoss(middle) < loss) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Expected log loss of a model whose log odds are off by a shift, as often up as down. */
function expectedLoss(shift: number): number {
  const losses = LOG_ODDS.flatMap((odds) =>
    [odds - shift, odds + shift].map(
      (given) => -logistic(odds) * Math.log(logistic(given)) - logistic(-odds) * Math.log(logistic(-given)),
    ),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

function logistic(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

/**
 * Rows of entities, each of which suits one of the two models far better: the squared error of one is 1.8 times its average there, that
 * of the other 0.2 times. The rows of an entity say the same of the models, again and again.
 */
export function simulateEntities(options: {
  random: RandomStream;
  entities: number;
  rowsPerEntity: number;
  /** True RMSE of the candidate above the champion's, which is 10. */
  worseBy: number;
}): { candidate: RegressionRows; champion: RegressionRows; clusters: Int32Array } {
  const { random, entities, rowsPerEntity, worseBy } = options;
  const rows = entities * rowsPerEntity;
  const candidate = new Float32Array(rows);
  const champion = new Float32Array(rows);
  const clusters = new Int32Array(rows);
  for (let entity = 0; entity < entities; entity++) {
    const tilt = random.nextFraction() < 0.5 ? 0.8 : -0.8;
    for (let row = entity * rowsPerEntity; row < (entity + 1) * rowsPerEntity; row++) {
      candidate[row] = random.nextNormal() * (10 + worseBy) * Math.sqrt(1 + tilt);
      champion[row] = random.nextNormal() * 10 * Math.sqrt(1 - tilt);
      clusters[row] = entity;
    }
  }
  const labels = new Float64Array(rows);
  return {
    candidate: { kind: 'regression', labels, value: candidate },
    champion: { kind: 'regression', labels, value: champion },
    clusters,
  };
}

/** Share of the noise that two simulated models have in common: what is hard for one is mostly hard for the other. */
const SHARED_NOISE = 0.8;

/**
 * Labels (30 % positive) and the scores of two models whose true AUCs are known: a positive row's score is moved by μ in units of its
 * normal noise, so that AUC = Φ(μ / √2).
 */
export function simulateBinary(options: {
  random: RandomStream;
  rows: number;
  candidateAuc: number;
  championAuc: number;
}): { labels: Uint8Array; candidate: Float32Array; champion: Float32Array } {
  const { random, rows } = options;
  const labels = new Uint8Array(rows);
  const candidate = new Float32Array(rows);
  const champion = new Float32Array(rows);
  const candidateShift = normalQuantile(options.candidateAuc) * Math.SQRT2;
  const championShift = normalQuantile(options.championAuc) * Math.SQRT2;
  for (let row = 0; row < rows; row++) {
    labels[row] = random.nextFraction() < 0.3 ? 1 : 0;
    const [first, second] = correlatedNoise(random);
    candidate[row] = first + labels[row]! * candidateShift;
    champion[row] = second + labels[row]! * championShift;
  }
  return { labels, candidate, champion };
}

/** Labels of 0 and the answers of two models whose true root mean squared errors are known. */
export function simulateRegression(options: {
  random: RandomStream;
  rows: number;
  candidateRmse: number;
  championRmse: number;
}): { labels: Float64Array; candidate: Float32Array; champion: Float32Array } {
  const candidate = new Float32Array(options.rows);
  const champion = new Float32Array(options.rows);
  for (let row = 0; row < options.rows; row++) {
    const [first, second] = correlatedNoise(options.random);
    candidate[row] = first * options.candidateRmse;
    champion[row] = second * options.championRmse;
  }
  return { labels: new Float64Array(options.rows), candidate, champion };
}

/** Two standard normal numbers with a correlation of {@link SHARED_NOISE}. */
function correlatedNoise(random: RandomStream): [number, number] {
  const shared = random.nextNormal() * Math.sqrt(SHARED_NOISE);
  const own = Math.sqrt(1 - SHARED_NOISE);
  return [shared + own * random.nextNormal(), shared + own * random.nextNormal()];
}
