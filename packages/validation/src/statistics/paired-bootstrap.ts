import { plainValue, type RowMetric } from '../metrics/row-metric.ts';
import { differenceOfSums, sumRowsByCluster, type RowSums } from '../metrics/row-sums.ts';
import { BootstrapDistribution } from './bca.ts';
import { BinnedUnits } from './binned-units.ts';
import { clusterCount, sumByCluster } from './clusters.ts';
import { drawDirectly, MOST_DRAWS_PER_REPLICATE, type ReplicateOptions } from './direct-replicates.ts';
import { RandomStream } from './random.ts';
import { turn, type Turns } from './turn.ts';

/** From so many rows on sums are resampled in the rows' place: below, weighing every row is quick and exact for every metric. */
const ROWS_FOR_SUMS = 20_000;
/** Fewest clusters for that: AUC's first-order part is right to one in the number of clusters. */
const CLUSTERS_FOR_SUMS = 1_000;
/** Replicates of sums between two looks at the event loop: about 20 ms. */
const DRAWS_PER_TURN = 500;

export interface BootstrapOptions extends Turns {
  /** Resamples to draw. */
  replicates: number;
  /** Decides every draw: the same seed and rows give the same replicates on every machine. */
  seed: readonly string[];
  /** The cluster of each row, from 0 up without gaps: its rows are drawn together. Null or absent: each row by itself. */
  clusters?: Int32Array | null;
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
  const prepared = prepare(metric, options.clusters ?? null);
  if (prepared === null) return null;
  const sums = sumsOf(metric, options);
  if (sums !== null) return await distributionOfSums({ ...prepared, sums, rows: metric.rows }, options);
  const replicates = await drawDirectly([metric], { ...options, clusters: options.clusters ?? null });
  return replicates && new BootstrapDistribution({ ...prepared, replicates: replicates[0]! });
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
 * Of 20,000 rows and more the metrics' sums are resampled in bins ({@link BinnedUnits}), so that a million rows take little more time.
 *
 * @returns null where the metric is undefined for either model, or on so many resamples that nothing can be said
 */
export async function bootstrapDifference(
  models: { candidate: RowMetric; champion: RowMetric },
  options: BootstrapOptions,
): Promise<PairedDistributions | null> {
  const clusters = options.clusters ?? null;
  const candidate = prepare(models.candidate, clusters);
  await turn(options, 0);
  const champion = prepare(models.champion, clusters);
  if (candidate === null || champion === null) return null;
  const difference: Prepared = {
    estimate: candidate.estimate - champion.estimate,
    influence: candidate.influence.map((value, unit) => value - champion.influence[unit]!),
  };
  await turn(options, 0);
  const ofCandidate = sumsOf(models.candidate, options);
  await turn(options, 0);
  const ofChampion = sumsOf(models.champion, options);
  if (ofCandidate !== null && ofChampion !== null) {
    const { rows } = models.candidate;
    return await distributionsOfSums(
      {
        candidate: { ...candidate, sums: ofCandidate, rows },
        champion: { ...champion, sums: ofChampion, rows },
        difference: { ...difference, sums: differenceOfSums(ofCandidate, ofChampion), rows },
      },
      options,
    );
  }
  const replicates = await drawDirectly([models.candidate, models.champion], { ...options, clusters });
  if (replicates === null) return null;
  const [first, second] = [replicates[0]!, replicates[1]!];
  return {
    candidate: new BootstrapDistribution({ ...candidate, replicates: first }),
    champion: new BootstrapDistribution({ ...champion, replicates: second }),
    difference: new BootstrapDistribution({
      ...difference,
      replicates: first.map((value, draw) => value - second[draw]!),
    }),
  };
}

/** A metric's value and the influence on it of each unit that is resampled. */
interface Prepared {
  estimate: number;
  influence: Float64Array;
}

interface PreparedSums extends Prepared {
  sums: RowSums;
  rows: number;
}

function prepare(metric: RowMetric, clusters: Int32Array | null): Prepared | null {
  const estimate = plainValue(metric);
  const influence = metric.influence();
  if (estimate === null || influence === null) return null;
  return { estimate, influence: clusters === null ? influence : sumByCluster(influence, clusters) };
}

/** The metric's sums per unit where they are to be resampled; null where every row is to be weighed. */
function sumsOf(metric: RowMetric, { clusters }: BootstrapOptions): RowSums | null {
  if (metric.rows < ROWS_FOR_SUMS || metric.sums === undefined) return null;
  if (!clusters) return metric.sums();
  const count = clusterCount(clusters);
  return count < CLUSTERS_FOR_SUMS ? null : sumRowsByCluster(metric.sums(), clusters, count);
}

/** One after another, each in bins of its own: what is nearly the same for the difference is not for its parts. */
async function distributionsOfSums(
  statistics: Record<keyof PairedDistributions, PreparedSums>,
  options: BootstrapOptions,
): Promise<PairedDistributions | null> {
  const part = (index: number): BootstrapOptions => ({
    ...options,
    onProgress: (done) => options.onProgress?.((index + done) / 3),
  });
  const candidate = await distributionOfSums(statistics.candidate, part(0));
  const champion = await distributionOfSums(statistics.champion, part(1));
  const difference = await distributionOfSums(statistics.difference, part(2));
  return candidate && champion && difference && { candidate, champion, difference };
}

async function distributionOfSums(
  statistic: PreparedSums,
  options: BootstrapOptions,
): Promise<BootstrapDistribution | null> {
  await turn(options, 0);
  const units = new BinnedUnits(statistic, new RandomStream(options.seed));
  const replicates = await drawBinned(units, options);
  return replicates && new BootstrapDistribution({ ...statistic, replicates });
}

async function drawBinned(
  units: BinnedUnits,
  options: Omit<ReplicateOptions, 'clusters'>,
): Promise<Float64Array | null> {
  const replicates = new Float64Array(options.replicates);
  let kept = 0;
  for (let draw = 0; kept < options.replicates; draw++) {
    if (draw >= MOST_DRAWS_PER_REPLICATE * options.replicates) return null;
    if (draw % DRAWS_PER_TURN === 0) await turn(options, kept / options.replicates);
    const value = units.draw();
    if (value !== null) replicates[kept++] = value;
  }
  return replicates;
}
