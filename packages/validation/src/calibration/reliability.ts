import type { CalibrationReport } from '@perennial/contract';
import { scoreOrder } from '../metrics/score-order.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import { wilsonInterval } from './wilson.ts';

/** Bins: one for every hundred rows, within these ends. Fewer hide what the curve does, more are noise. */
const FEWEST_BINS = 10;
const MOST_BINS = 15;
const ROWS_PER_BIN = 100;
/** Of the bins' intervals. */
const CONFIDENCE = 0.95;

type ReliabilityBin = CalibrationReport['bins'][number];

/** What was said with which probability, and whether it came true. */
interface Claims {
  probability: Float32Array;
  hit: Uint8Array;
}

/**
 * Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017) over bins of equally many rows (Nixon et al.,
 * "Measuring calibration in deep learning", CVPR workshops 2019): bins of equal width are mostly empty where probabilities are small.
 * Rows of one probability are never parted, so that bins may be fewer and uneven; the order of the rows does not matter.
 *
 * Of a binary label its probability is judged, of a multiclass one that of the decided class.
 * @returns null for numbers, and without rows
 */
export function calibrationOf(scored: ScoredRows): CalibrationReport | null {
  const claims = claimsOf(scored);
  if (claims === null || claims.hit.length === 0) return null;
  const bins = binsOf(claims);
  const distances = bins.map(({ rows, meanProbability, share }) => rows * Math.abs(meanProbability - share));
  const sum = distances.reduce((total, distance) => total + distance, 0);
  return { error: sum / claims.hit.length, bins };
}

function claimsOf(scored: ScoredRows): Claims | null {
  switch (scored.kind) {
    case 'binary':
      return { probability: scored.probability, hit: scored.labels };
    case 'multiclass': {
      const { labels, decision } = scored;
      return {
        probability: scored.decisionProbability,
        hit: Uint8Array.from(labels, (label, row) => (label === decision[row] ? 1 : 0)),
      };
    }
    case 'regression':
      return null;
  }
}

function binsOf(claims: Claims): ReliabilityBin[] {
  const { probability } = claims;
  const order = scoreOrder(probability);
  const wanted = Math.min(MOST_BINS, Math.max(FEWEST_BINS, Math.floor(order.length / ROWS_PER_BIN)));
  const bins: ReliabilityBin[] = [];
  let start = 0;
  for (let bin = 1; bin <= wanted; bin++) {
    let end = Math.round((bin * order.length) / wanted);
    if (end <= start) continue;
    while (end < order.length && probability[order[end]!] === probability[order[end - 1]!]) end++;
    bins.push(binOf(claims, order.subarray(start, end)));
    start = end;
  }
  return bins;
}

function binOf({ probability, hit }: Claims, members: Uint32Array): ReliabilityBin {
  let sum = 0;
  let hits = 0;
  for (const row of members) {
    sum += probability[row]!;
    hits += hit[row]!;
  }
  const rows = members.length;
  return {
    rows,
    meanProbability: sum / rows,
    share: hits / rows,
    interval: wilsonInterval({ hits, rows }, CONFIDENCE),
  };
}
