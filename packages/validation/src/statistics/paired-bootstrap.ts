import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowMetric } from '../metrics/row-metric.ts';
import { plainValue } from '../metrics/row-metric.ts';
import { BootstrapDistribution, type BootstrapReplicates } from './bca.ts';
import { clusterCount, sumByCluster } from './clusters.ts';
import { PoissonCounts } from './poisson-counts.ts';
import { RandomStream } from './random.ts';

/** Rows that are weighed between two looks at the event loop: about 20 ms. */
const ROWS_PER_TURN = 4_000_000;
/** A resample that leaves the metric undefined is drawn again; this many draws per replicate asked for are the end of it. */
const MOST_DRAWS_PER_REPLICATE = 2;

export interface BootstrapOptions {
  /** Resamples to draw. */
  replicates: number;
  /** Decides every draw: the same seed and rows give the same replicates on every machine. */
  seed: readonly string[];
  /** The cluster of each row, from 0 up: its rows are drawn together. Null or absent: each row by itself. */
  clusters?: Int32Array | null;
  /** Called between turns of the event loop with the share that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** The distributions of a metric of two models and of the difference between them. */
export interface PairedDistributions {
  candidate: BootstrapDistribution;
  champion: BootstrapDistribution;
  /** Candidate minus champion. */
  difference: BootstrapDistribution;
}

/**
 * The bootstrap distribution of a metric of one model.
 * @returns null where the metric is undefined on the rows, or on so many resamples that nothing can be said
 */
export async function bootstrapMetric(
  metric: RowMetric,
  options: BootstrapOptions,
): Promise<BootstrapDistribution | null> {
  const replicates = await drawReplicates([metric], options);
  const found = replicates && replicatesOf(metric, replicates[0]!, options);
  return found && new BootstrapDistribution(found);
}

/**
 * The bootstrap distributions of a metric of two models on the same rows and of the difference between them. Rows are resampled once per
 * replicate and both models are scored on that resample, so that what makes a day easy or hard for both cancels: the interval of the
 * difference is far narrower than those of its parts.
 *
 * With clusters, whole clusters are resampled: rows of one entity or day are alike, and taken one by one they would count for more than
 * they know (Field & Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69, 2007; Cameron, Gelbach &
 * Miller, "Bootstrap-based improvements for inference with clustered errors", Review of Economics and Statistics 90, 2008).
 *
 * @returns null where the metric is undefined for either model, or on so many resamples that nothing can be said
 */
export async function bootstrapDifference(
  models: { candidate: RowMetric; champion: RowMetric },
  options: BootstrapOptions,
): Promise<PairedDistributions | null> {
  const replicates = await drawReplicates([models.candidate, models.champion], options);
  if (replicates === null) return null;
  const candidate = replicatesOf(models.candidate, replicates[0]!, options);
  const champion = replicatesOf(models.champion, replicates[1]!, options);
  if (candidate === null || champion === null) return null;
  return {
    candidate: new BootstrapDistribution(candidate),
    champion: new BootstrapDistribution(champion),
    difference: new BootstrapDistribution({
      estimate: candidate.estimate - champion.estimate,
      replicates: candidate.replicates.map((value, draw) => value - champion.replicates[draw]!),
      influence: candidate.influence.map((value, unit) => value - champion.influence[unit]!),
    }),
  };
}

function replicatesOf(
  metric: RowMetric,
  replicates: Float64Array,
  { clusters }: BootstrapOptions,
): BootstrapReplicates | null {
  const estimate = plainValue(metric);
  const influence = metric.influence();
  if (estimate === null || influence === null) return null;
  return { estimate, replicates, influence: clusters ? sumByCluster(influence, clusters) : influence };
}

/** Per metric its value on each resample; null when the metrics are undefined on the rows or on too many resamples. */
async function drawReplicates(
  metrics: RowMetric[],
  options: BootstrapOptions,
): Promise<Float64Array[] | null> {
  const rows = metrics[0]?.rows ?? 0;
  if (metrics.some((metric) => plainValue(metric) === null)) return null;
  const resample = resampling(rows, options);
  const replicates = metrics.map(() => new Float64Array(options.replicates));
  const drawsPerTurn = Math.max(1, Math.round(ROWS_PER_TURN / rows / metrics.length));
  let kept = 0;
  for (let draw = 0; kept < options.replicates; draw++) {
    if (draw >= MOST_DRAWS_PER_REPLICATE * options.replicates) return null;
    if (draw % drawsPerTurn === 0) await turn(options, kept);
    const counts = resample();
    const values = metrics.map((metric) => metric.value(counts));
    if (values.includes(null)) continue;
    values.forEach((value, index) => (replicates[index]![kept] = value!));
    kept++;
  }
  return replicates;
}

/** Draws how often each row stands in a resample; every call overwrites the counts of the one before. */
function resampling(rows: number, { seed, clusters }: BootstrapOptions): () => Uint8Array {
  const counts = new Uint8Array(rows);
  const poisson = new PoissonCounts(new RandomStream(seed));
  if (!clusters) {
    return () => {
      poisson.fill(counts);
      return counts;
    };
  }
  const ofCluster = new Uint8Array(clusterCount(clusters));
  return () => {
    poisson.fill(ofCluster);
    for (let row = 0; row < rows; row++) counts[row] = ofCluster[clusters[row]!]!;
    return counts;
  };
}

async function turn(options: BootstrapOptions, kept: number): Promise<void> {
  options.onProgress?.(kept / options.replicates);
  await nextTurn();
  options.signal?.throwIfAborted();
}
