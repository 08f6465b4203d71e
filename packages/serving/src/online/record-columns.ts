import {
  MISSING_TIMESTAMP,
  type FeatureValue,
  type Instance,
  type Prediction,
  type Signature,
} from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { formatOutput } from '../instances/output.ts';
import type { Journal } from '../journal/journal.ts';
import { encodePrediction } from '../journal/prediction-record.ts';
import { idOfRow } from './row-ids.ts';

/** A request in columns and what it was answered. */
export interface ColumnsRecord extends Pick<
  Prediction,
  'model' | 'version' | 'endpoint' | 'mode' | 'latencyMicroseconds' | 'at'
> {
  /** Id of the first row, without prefix; those of the others follow from it. */
  firstId: string;
  signature: Signature;
  batch: ColumnBatch;
  keys: readonly string[] | undefined;
  output: OutputBatch;
}

/**
 * Puts the rows of a request in columns on record. Values stand there as rows have them: what is missing is null, a timestamp is milliseconds since 1970.
 * @throws JournalFullError, JournalWriteError, JournalClosedError, OverloadedError, RecordTooLargeError
 */
export async function recordColumns(journal: Pick<Journal, 'append'>, record: ColumnsRecord): Promise<void> {
  const { firstId, signature, batch, keys, output, ...same } = record;
  const readers = signature.inputs.map(({ name, type }) => ({ name, value: valueReader(batch, name, type) }));
  const records: string[] = [];
  for (let row = 0; row < batch.rows; row++) {
    const features: Instance = Object.create(null) as Instance;
    for (const { name, value } of readers) features[name] = value(row);
    const own = { id: idOfRow(firstId, row), key: keys?.[row] ?? null, features };
    records.push(encodePrediction({ ...same, ...own, output: formatOutput(output, row) }));
  }
  await journal.append(records);
}

function valueReader(
  { columns }: ColumnBatch,
  name: string,
  type: Signature['inputs'][number]['type'],
): (row: number) => FeatureValue {
  const column = columns[name];
  if (column instanceof BigInt64Array) return (row) => timestampOf(column[row]);
  if (column instanceof Float64Array) {
    return type === 'boolean' ? (row) => booleanOf(column[row]) : (row) => numberOf(column[row]);
  }
  return (row) => (column?.[row] as string) || null;
}

function timestampOf(value: bigint | undefined): number | null {
  return value === undefined || value === MISSING_TIMESTAMP ? null : Number(value);
}

function numberOf(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function booleanOf(value: number | undefined): boolean | null {
  return value === undefined || Number.isNaN(value) ? null : value === 1;
}
