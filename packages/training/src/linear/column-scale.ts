import type { EncodedRows } from '../fit/encoded-rows.ts';

/** Mean and deviation of the dense columns over some rows. */
export interface ColumnScale {
  mean: Float64Array;
  /** 0 of a column that is always the same. */
  deviation: Float64Array;
}

/** Of the rows from `from` on. The encoder scales numbers only where the author asks for it, and steps of one size fit columns of one size. */
export function columnScale({ dense, denseWidth: width, rows }: EncodedRows, from: number): ColumnScale {
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let row = from; row < rows; row++) {
    const seen = row - from + 1;
    for (let column = 0; column < width; column++) {
      // Welford, 1962: squares of large numbers with a small spread would cancel out.
      const x = dense[row * width + column]!;
      const distance = x - mean[column]!;
      mean[column]! += distance / seen;
      squares[column]! += distance * (x - mean[column]!);
    }
  }
  const count = Math.max(1, rows - from);
  return { mean, deviation: squares.map((sum) => Math.sqrt(sum / count)) };
}
