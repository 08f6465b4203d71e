import { normalQuantile } from '../statistics/normal.ts';
import type { RandomStream } from '../statistics/random.ts';

/** A standard normal number. */
export function nextNormal(random: RandomStream): number {
  return random.nextNormal();
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
  const shift = (auc: number): number => normalQuantile(auc) * Math.SQRT2;
  for (let row = 0; row < rows; row++) {
    labels[row] = random.nextFraction() < 0.3 ? 1 : 0;
    const [first, second] = correlatedNoise(random);
    candidate[row] = first + labels[row]! * shift(options.candidateAuc);
    champion[row] = second + labels[row]! * shift(options.championAuc);
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
