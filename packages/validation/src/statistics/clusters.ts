/** How many clusters the rows are numbered over. */
export function clusterCount(clusters: Int32Array): number {
  let last = -1;
  for (const cluster of clusters) if (cluster > last) last = cluster;
  return last + 1;
}

/** The sum of one number per row over each cluster's rows. */
export function sumByCluster(values: Float64Array, clusters: Int32Array): Float64Array {
  const sums = new Float64Array(clusterCount(clusters));
  for (let row = 0; row < values.length; row++) sums[clusters[row]!]! += values[row]!;
  return sums;
}

/**
 * The clusters numbered anew from 0 without gaps, in the order they first occur: of a part of the rows some clusters have none, and these
 * are no units to resample.
 */
export function withoutGaps(clusters: Int32Array): Int32Array {
  const numbers = new Int32Array(clusterCount(clusters)).fill(-1);
  let next = 0;
  return clusters.map((cluster) => {
    if (numbers[cluster] === -1) numbers[cluster] = next++;
    return numbers[cluster]!;
  });
}
