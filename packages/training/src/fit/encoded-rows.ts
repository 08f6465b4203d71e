/** The rows of a split as numbers, in memory once: what batches are made from. */
export interface EncodedRows {
  rows: number;
  /** Row-major `[rows, denseWidth]`. */
  dense: Float32Array;
  denseWidth: number;
  /** Per embedding feature, one index a row. */
  indices: Map<string, Int32Array>;
  /** One a row: 0 or 1 of a binary label, (y − center) / scale of a regression, the class's position of a multiclass (−1: unknown class). */
  targets: Float32Array;
}

/** Room for the rows of a split. */
export function emptyRows(rows: number, denseWidth: number, features: readonly string[]): EncodedRows {
  return {
    rows,
    dense: new Float32Array(rows * denseWidth),
    denseWidth,
    indices: new Map(features.map((feature) => [feature, new Int32Array(rows)])),
    targets: new Float32Array(rows),
  };
}
