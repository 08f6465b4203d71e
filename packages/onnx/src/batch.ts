/**
 * Raw columns of some rows, by column name, in the tensor types that the contract's `ColumnType` table gives: `Float64Array` for numbers
 * and booleans (NaN is missing), `BigInt64Array` for timestamps (`MISSING_TIMESTAMP` is missing), text as strings ('' is missing;
 * ONNX Runtime ends a text at its first NUL).
 */
export interface ColumnBatch {
  rows: number;
  columns: Record<string, RawColumn>;
}

/** Texts of some rows by which of the different ones each is: `texts[codes[row]]`. A text may stand in `texts` more than once, or for no row. */
export interface CodedTexts {
  texts: readonly string[];
  codes: Int32Array;
}

/** As {@link ColumnBatch}, with the texts coded. */
export interface CodedBatch {
  rows: number;
  columns: Record<string, Float64Array | BigInt64Array | CodedTexts>;
}

export type RawColumn = Float64Array | BigInt64Array | string[];

/** What an artifact answered for some rows, by label kind. */
export type OutputBatch =
  | { kind: 'binary'; probability: Float32Array; decision: Uint8Array }
  /** `probabilities` is row-major, `classes` wide. */
  | { kind: 'multiclass'; classes: string[]; probabilities: Float32Array; decision: string[] }
  | { kind: 'regression'; value: Float32Array };
