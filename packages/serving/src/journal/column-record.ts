import type { EncodedFrames } from './frame-buffer.ts';
import type { ColumnType, PredictionMode } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { RecordTooLargeError, UnusableOutputError } from '../errors.ts';
import { columnsFrame } from './column-layout.ts';
import { MAX_FRAME_PAYLOAD } from './frame.ts';
import { packIds, rowId } from './row-ids.ts';
import type { RecordPolicy } from './record-policy.ts';

/** Values of a column, one a row: numbers and booleans with NaN for missing, instants in milliseconds, texts with '' for missing. */
export type RecordedValues = Float64Array | Float32Array | BigInt64Array | readonly string[];

export interface RecordedColumn {
  name: string;
  type: ColumnType;
  values: RecordedValues;
}

/** The predictions of one request, column by column as they were computed. */
export interface ColumnPredictions {
  rows: number;
  /** The first row's id, made by `baseId`, from which the others are counted; or every row's own. */
  ids: string | readonly string[];
  model: string;
  version: number;
  endpoint: string;
  mode: PredictionMode;
  latencyMicroseconds: number;
  /** ISO 8601 */
  at: string;
  /** Absent where no row has a key. */
  keys?: readonly (string | null)[] | undefined;
  features: readonly RecordedColumn[];
  /** What the model answered, where `offset` is this request's first row in it. */
  output: OutputBatch;
  /** @default 0 */
  offset?: number;
}

/** Most rows of a frame: a shipper's batch of about a thousand rows is made of whole frames, and damage costs no more than one. */
export const MAX_COLUMN_ROWS = 1_024;

/**
 * Puts predictions into the journal's form of columns: 1,000 rows of 20 numbers are copied and summed, not written as text. The shipper makes rows of
 * them. As many as `policy` keeps are taken, without the columns that it leaves out; there may be none.
 * @throws RecordTooLargeError when a single row is larger than a frame
 * @throws UnusableOutputError when a number of the answer is NaN or infinite, which JSON would turn into null
 */
export function encodeColumnPredictions(
  predictions: ColumnPredictions,
  policy?: Pick<RecordPolicy, 'keeps' | 'redacts' | 'samples'>,
): EncodedFrames {
  checkOutput(predictions);
  const kept = policy === undefined ? predictions : underPolicy(predictions, policy);
  const frames: Buffer[] = [];
  for (let start = 0; start < kept.rows; start += MAX_COLUMN_ROWS) {
    frames.push(...framesOf(kept, start, Math.min(start + MAX_COLUMN_ROWS, kept.rows)));
  }
  const [only] = frames;
  return { bytes: frames.length === 1 && only ? only : Buffer.concat(frames), rows: kept.rows };
}

/** One frame, or two halves of what is too much for one: long texts. */
function framesOf(predictions: ColumnPredictions, start: number, end: number): Buffer[] {
  const frame = columnsFrame(slice(predictions, start, end));
  if (frame.length <= MAX_FRAME_PAYLOAD) return [frame];
  if (end - start === 1) throw new RecordTooLargeError(frame.length, MAX_FRAME_PAYLOAD);
  const middle = start + Math.ceil((end - start) / 2);
  return [...framesOf(predictions, start, middle), ...framesOf(predictions, middle, end)];
}

/** Rows of some predictions with packed ids, as a frame holds them. */
export type FramedPredictions = Omit<ColumnPredictions, 'ids' | 'offset'> & { ids: Uint8Array };

function slice(predictions: ColumnPredictions, start: number, end: number): FramedPredictions {
  const { ids, keys, features, output, offset = 0 } = predictions;
  const rows = end - start;
  return {
    ...predictions,
    rows,
    // A single id stands for as many as there are rows.
    ids: packIds(typeof ids === 'string' ? [rowId(ids, start)] : ids.slice(start, end)),
    keys: keys?.slice(start, end),
    features: features.map((column) => ({ ...column, values: cut(column.values, start, end) })),
    output: sliceOutput(output, offset + start, offset + end),
  };
}

function cut(values: RecordedValues, start: number, end: number): RecordedValues {
  if (Array.isArray(values)) return (values as readonly string[]).slice(start, end);
  return (values as Float64Array).subarray(start, end);
}

function sliceOutput(output: OutputBatch, start: number, end: number): OutputBatch {
  switch (output.kind) {
    case 'binary':
      return {
        ...output,
        probability: output.probability.subarray(start, end),
        decision: output.decision.subarray(start, end),
      };
    case 'multiclass': {
      const width = output.classes.length;
      return {
        ...output,
        probabilities: output.probabilities.subarray(start * width, end * width),
        decision: output.decision.slice(start, end),
      };
    }
    case 'regression':
      return { ...output, value: output.value.subarray(start, end) };
  }
}

function checkOutput({ rows, output, offset = 0 }: ColumnPredictions): void {
  const { values, width, field } = numbersOf(output);
  for (let at = offset * width; at < (offset + rows) * width; at++) {
    if (!Number.isFinite(values[at])) throw new UnusableOutputError(field, Math.floor(at / width) - offset);
  }
}

function numbersOf(output: OutputBatch): { values: Float32Array; width: number; field: string } {
  switch (output.kind) {
    case 'binary':
      return { values: output.probability, width: 1, field: 'probability' };
    case 'multiclass':
      return { values: output.probabilities, width: output.classes.length, field: 'probability' };
    case 'regression':
      return { values: output.value, width: 1, field: 'value' };
  }
}

function underPolicy(
  predictions: ColumnPredictions,
  policy: Pick<RecordPolicy, 'keeps' | 'redacts' | 'samples'>,
): ColumnPredictions {
  const features = predictions.features.filter(({ name }) => !policy.redacts(name));
  if (!policy.samples) return { ...predictions, features };
  const { ids } = predictions;
  const all = typeof ids === 'string' ? countedIds(ids, predictions.rows) : ids;
  const rows = [...all.keys()].filter((row) => policy.keeps(all[row] ?? ''));
  return pick({ ...predictions, features, ids: all }, rows);
}

function countedIds(base: string, rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => rowId(base, row));
}

function pick(predictions: ColumnPredictions, rows: readonly number[]): ColumnPredictions {
  const { ids, keys, features, output, offset = 0 } = predictions;
  return {
    ...predictions,
    rows: rows.length,
    ids: rows.map((row) => ids[row] ?? ''),
    keys: keys && rows.map((row) => keys[row] ?? null),
    features: features.map((column) => ({ ...column, values: pickValues(column.values, rows) })),
    output: pickOutput(
      output,
      rows.map((row) => row + offset),
    ),
    offset: 0,
  };
}

function pickValues(values: RecordedValues, rows: readonly number[]): RecordedValues {
  if (values instanceof Float64Array) return Float64Array.from(rows, (row) => values[row] ?? NaN);
  if (values instanceof Float32Array) return Float32Array.from(rows, (row) => values[row] ?? NaN);
  if (values instanceof BigInt64Array) return BigInt64Array.from(rows.map((row) => values[row] ?? 0n));
  return rows.map((row) => values[row] ?? '');
}

function pickOutput(output: OutputBatch, rows: readonly number[]): OutputBatch {
  switch (output.kind) {
    case 'binary':
      return {
        ...output,
        probability: Float32Array.from(rows, (row) => output.probability[row] ?? NaN),
        decision: Uint8Array.from(rows, (row) => output.decision[row] ?? 0),
      };
    case 'multiclass': {
      const width = output.classes.length;
      const probabilities = rows.flatMap((row) => [
        ...output.probabilities.subarray(row * width, (row + 1) * width),
      ]);
      const decision = rows.map((row) => output.decision[row] ?? '');
      return { ...output, probabilities: Float32Array.from(probabilities), decision };
    }
    case 'regression':
      return { ...output, value: Float32Array.from(rows, (row) => output.value[row] ?? NaN) };
  }
}
