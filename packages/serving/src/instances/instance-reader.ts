import type { Signature } from '@perennial/contract';
import type { ColumnBatch } from '@perennial/onnx';
import { InstanceFiller, type RowRange } from './instance-filler.ts';

export { MAX_ISSUES, type RowRange } from './instance-filler.ts';

/**
 * Checks instances against a signature and lays them out as columns: all of them, or those of a range, so that a large request can be
 * read in pieces. Problems are reported by their place in the whole array. What is allowed is said at {@link InstanceFiller}.
 * @throws InvalidInstanceError with every problem from the range's start on, up to {@link MAX_ISSUES}
 */
export type InstanceReader = (instances: readonly unknown[], range?: RowRange) => ColumnBatch;

/** Compiles a signature into the function that validates instances and fills tensors in one pass; done once per model version. */
export function compileReader(signature: Signature): InstanceReader {
  return readerOf(new InstanceFiller(signature));
}

/** A reader that lays every call's instances out in columns of their own. */
export function readerOf(filler: InstanceFiller): InstanceReader {
  return (all, { start, end } = { start: 0, end: all.length }) => {
    const rows = end - start;
    const columns = filler.allocate(rows);
    filler.fill(columns, 0, { all, start, end });
    return filler.batchOf(columns, { start: 0, end: rows });
  };
}
