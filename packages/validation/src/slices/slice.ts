import type { Slice as SliceValues } from '@perennial/contract';

/** The rows that have one value of a slice column, or two values of a pair of them. */
export interface Slice {
  /** By column. */
  slice: SliceValues;
  /** Row numbers, ascending. */
  rows: Uint32Array;
}
