/**
 * A metric as a function of a few numbers summed over the rows: what resampling needs of it where there are many rows. Exact for means
 * and what follows from means; of AUC it is the first-order part (Hájek's projection), see `AucMetric.sums`.
 */
export interface RowSums {
  /** Numbers per row. */
  readonly width: number;
  /** The numbers, `width` of each row after those of the row before. */
  readonly perRow: Float64Array;
  /** The metric of the (weighted) sums; null where they leave it undefined. */
  value(sums: Float64Array): number | null;
}

/** The difference of two metrics of the same rows, first minus second. */
export function differenceOfSums(first: RowSums, second: RowSums): RowSums {
  const width = first.width + second.width;
  const rows = first.perRow.length / first.width;
  const perRow = new Float64Array(rows * width);
  copyColumns(first, perRow, { width, offset: 0 });
  copyColumns(second, perRow, { width, offset: first.width });
  return {
    width,
    perRow,
    value: (sums) => {
      const ofFirst = first.value(sums.subarray(0, first.width));
      const ofSecond = second.value(sums.subarray(first.width));
      return ofFirst === null || ofSecond === null ? null : ofFirst - ofSecond;
    },
  };
}

function copyColumns(from: RowSums, to: Float64Array, place: { width: number; offset: number }): void {
  const rows = from.perRow.length / from.width;
  for (let row = 0; row < rows; row++) {
    const start = row * place.width + place.offset;
    for (let column = 0; column < from.width; column++)
      to[start + column] = from.perRow[row * from.width + column]!;
  }
}

/** Numbers of each cluster's rows summed, as if a cluster were a row. */
export function sumRowsByCluster(sums: RowSums, clusters: Int32Array, count: number): RowSums {
  const { width, perRow } = sums;
  const perCluster = new Float64Array(count * width);
  for (let row = 0; row < clusters.length; row++) {
    const start = clusters[row]! * width;
    for (let column = 0; column < width; column++)
      perCluster[start + column]! += perRow[row * width + column]!;
  }
  return { width, perRow: perCluster, value: (total) => sums.value(total) };
}
