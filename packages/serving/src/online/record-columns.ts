import type { Prediction, Signature } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { encodeColumnPredictions, type RecordedValues } from '../journal/column-record.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordPolicy } from '../journal/record-policy.ts';

/** A request in columns and what it was answered. */
export interface ColumnsRecord extends Pick<
  Prediction,
  'model' | 'version' | 'endpoint' | 'mode' | 'latencyMicroseconds' | 'at'
> {
  /** Id of the first row, without prefix; those of the others are counted from it. */
  firstId: string;
  signature: Signature;
  batch: ColumnBatch;
  keys: readonly string[] | undefined;
  output: OutputBatch;
}

/**
 * Puts the rows of a request in columns on record, as columns: what the policy keeps of them.
 * @throws JournalFullError, JournalWriteError, JournalClosedError, OverloadedError, RecordTooLargeError
 * @throws UnusableOutputError when a number of the answer is NaN or infinite
 */
export async function recordColumns(
  journal: Pick<Journal, 'appendFrames'>,
  { firstId, signature, batch, ...record }: ColumnsRecord,
  policy: RecordPolicy,
): Promise<void> {
  const features = signature.inputs.map(({ name, type }) => ({
    name,
    type,
    values: batch.columns[name] as RecordedValues,
  }));
  const encoded = encodeColumnPredictions({ ...record, rows: batch.rows, ids: firstId, features }, policy);
  await journal.appendFrames(encoded, policy.terms);
}
