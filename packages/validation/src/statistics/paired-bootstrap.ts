import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Interval } from '@perennial/contract';
import type { RowMetric } from '../metrics/row-metric.ts';
import { plainValue } from '../metrics/row-metric.ts';
import { bcaInterval } from './bca.ts';
import { PoissonCounts } from './poisson-counts.ts';
import { RandomStream } from './random.ts';

/** Rows that are weighed between two looks at the event loop: about 20 ms. */
const ROWS_PER_TURN = 4_000_000;
/** A resample that leaves the metric undefined is drawn again; this many draws per replicate asked for are the end of it. */
const MOST_DRAWS_PER_REPLICATE = 2;

export interface BootstrapOptions {
  /** Resamples to draw. */
  replicates: number;
  /** Two-sided confidence of the intervals, in (0, 1). */
  confidence: number;
  /** Decides every draw: the same seed and rows give the same intervals on every machine. */
  seed: readonly string[];
  /** Called between turns of the event loop with the share that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** A metric's value with its interval. */
export interface Estimate {
  value: number;
  interval: Interval;
}

export interface PairedEstimate {
  candidate: Estimate;
  champion: Estimate;
  /** Candidate minus champion. */
  difference: Estimate;
}

/**
 * A metric of one model with its bootstrap interval.
 * @returns null where the metric is undefined on the rows, or on so many resamples that no interval can be had
 */
export async function bootstrapMetric(
  metric: RowMetric,
  options: BootstrapOptions,
): Promise<Estimate | null> {
  const replicates = await drawReplicates([metric], options);
  const estimate = replicates && distributionOf(metric, replicates[0]!);
  return estimate && estimateOf(estimate, options.confidence);
}

/**
 * A metric of two models on the same rows and of the difference between them. Rows are resampled once per replicate and both models are
 * scored on that resample, so that what makes a day easy or hard for both cancels: the interval of the difference is far narrower than
 * those of its parts.
 *
 * @returns null where the metric is undefined for either model, or on so many resamples that no interval can be had
 */
export async function bootstrapDifference(
  models: { candidate: RowMetric; champion: RowMetric },
  options: BootstrapOptions,
): Promise<PairedEstimate | null> {
  const replicates = await drawReplicates([models.candidate, models.champion], options);
  if (replicates === null) return null;
  const candidate = distributionOf(models.candidate, replicates[0]!);
  const champion = distributionOf(models.champion, replicates[1]!);
  if (candidate === null || champion === null) return null;
  const difference = {
    estimate: candidate.estimate - champion.estimate,
    replicates: candidate.replicates.map((value, draw) => value - champion.replicates[draw]!),
    influence: candidate.influence.map((value, row) => value - champion.influence[row]!),
  };
  return {
    candidate: estimateOf(candidate, options.confidence),
    champion: estimateOf(champion, options.confidence),
    difference: estimateOf(difference, options.confidence),
  };
}

interface Distribution {
  estimate: number;
  replicates: Float64Array;
  influence: Float64Array;
}

function distributionOf(metric: RowMetric, replicates: Float64Array): Distribution | null {
  const estimate = plainValue(metric);
  const influence = metric.influence();
  return estimate === null || influence === null ? null : { estimate, replicates, influence };
}

function estimateOf(distribution: Distribution, confidence: number): Estimate {
  return { value: distribution.estimate, interval: bcaInterval(distribution, confidence) };
}

/** Per metric its value on each resample; null when the metrics are undefined on the rows or on too many resamples. */
async function drawReplicates(
  metrics: RowMetric[],
  options: BootstrapOptions,
): Promise<Float64Array[] | null> {
  const rows = metrics[0]?.rows ?? 0;
  if (metrics.some((metric) => plainValue(metric) === null)) return null;
  const counts = new Uint8Array(rows);
  const resampling = new PoissonCounts(new RandomStream(options.seed));
  const replicates = metrics.map(() => new Float64Array(options.replicates));
  const drawsPerTurn = Math.max(1, Math.round(ROWS_PER_TURN / rows / metrics.length));
  let kept = 0;
  for (let draw = 0; kept < options.replicates; draw++) {
    if (draw >= MOST_DRAWS_PER_REPLICATE * options.replicates) return null;
    if (draw % drawsPerTurn === 0) await turn(options, kept);
    resampling.fill(counts);
    const values = metrics.map((metric) => metric.value(counts));
    if (values.includes(null)) continue;
    values.forEach((value, index) => (replicates[index]![kept] = value!));
    kept++;
  }
  return replicates;
}

async function turn(options: BootstrapOptions, kept: number): Promise<void> {
  options.onProgress?.(kept / options.replicates);
  await nextTurn();
  options.signal?.throwIfAborted();
}
