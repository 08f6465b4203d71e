import { plainValue, type RowMetric } from '../metrics/row-metric.ts';
import { clusterCount } from './clusters.ts';
import { PoissonCounts } from './poisson-counts.ts';
import { RandomStream } from './random.ts';
import { turn, type Turns } from './turn.ts';

/** Rows that are weighed between two looks at the event loop: about 20 ms. */
const ROWS_PER_TURN = 4_000_000;
/** A resample that leaves the metric undefined is drawn again; this many draws per replicate asked for are the end of it. */
export const MOST_DRAWS_PER_REPLICATE = 2;

export interface ReplicateOptions extends Turns {
  /** Resamples to draw. */
  replicates: number;
  /** Decides every draw: the same seed and rows give the same replicates on every machine. */
  seed: readonly string[];
  /** The cluster of each row, from 0 up: its rows are drawn together. Null: each row by itself. */
  clusters: Int32Array | null;
}

/**
 * Per metric its value on each of the same resamples, every row weighed: exact, and as dear as rows times replicates.
 * @returns null when the metrics are undefined on the rows or on too many resamples
 */
export async function drawDirectly(
  metrics: RowMetric[],
  options: ReplicateOptions,
): Promise<Float64Array[] | null> {
  const rows = metrics[0]?.rows ?? 0;
  if (metrics.some((metric) => plainValue(metric) === null)) return null;
  const resample = resampling(rows, options);
  const replicates = metrics.map(() => new Float64Array(options.replicates));
  const drawsPerTurn = Math.max(1, Math.round(ROWS_PER_TURN / rows / metrics.length));
  let kept = 0;
  for (let draw = 0; kept < options.replicates; draw++) {
    if (draw >= MOST_DRAWS_PER_REPLICATE * options.replicates) return null;
    if (draw % drawsPerTurn === 0) await turn(options, kept / options.replicates);
    const counts = resample();
    const values = metrics.map((metric) => metric.value(counts));
    if (values.includes(null)) continue;
    values.forEach((value, index) => (replicates[index]![kept] = value!));
    kept++;
  }
  return replicates;
}

/** Draws how often each row stands in a resample; every call overwrites the counts of the one before. */
function resampling(rows: number, { seed, clusters }: ReplicateOptions): () => Uint8Array {
  const counts = new Uint8Array(rows);
  const poisson = new PoissonCounts(new RandomStream(seed));
  if (clusters === null) {
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
