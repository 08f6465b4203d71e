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
