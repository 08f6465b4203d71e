import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { readColumns } from './column-layout.ts';
import type { FramedPredictions, RecordedColumn } from './column-record.ts';
import { nextTurn } from '../waiting/next-turn.ts';
import { rowId, unpackId } from './row-ids.ts';

/** The JSON text of one row's value. */
type CellWriter = (row: number) => string;

/** Rows that are written as text between two looks at the event loop: about a millisecond. */
const ROWS_A_TURN = 256;

/** The rows of a sealed frame of columns, as the records that `encodePrediction` would have made of them. */
export function expandColumns(frame: Buffer): string[] {
  const predictions = readColumns(frame);
  const record = recordWriter(predictions);
  return Array.from({ length: predictions.rows }, (_, row) => record(row));
}

/** As `expandColumns`, with others served in between. */
export async function expandInTurns(frame: Buffer): Promise<string[]> {
  const predictions = readColumns(frame);
  const record = recordWriter(predictions);
  const records: string[] = [];
  for (let row = 0; row < predictions.rows; row++) {
    if (row > 0 && row % ROWS_A_TURN === 0) await nextTurn();
    records.push(record(row));
  }
  return records;
}

function recordWriter(predictions: FramedPredictions): CellWriter {
  const { keys, model, version, endpoint, mode, latencyMicroseconds, at } = predictions;
  const id = idReader(predictions);
  const features = featuresWriter(predictions.features);
  const output = outputWriter(predictions.output);
  const head = `","model":"${model}","version":${version},"endpoint":"${endpoint}","key":`;
  const tail = `,"mode":"${mode}","latencyMicroseconds":${latencyMicroseconds},"at":"${at}"}`;
  return (row) =>
    `{"id":"${id(row)}${head}${JSON.stringify(keys?.[row] ?? null)},"features":${features(row)},"output":${output(row)}${tail}`;
}

function idReader({ rows, ids }: Pick<FramedPredictions, 'rows' | 'ids'>): (row: number) => string {
  const first = unpackId(ids, 0);
  return ids.length === 16 && rows > 1 ? (row) => rowId(first, row) : (row) => unpackId(ids, row);
}

/** Joined in one piece: a text that grows piece by piece is a tree of its pieces until it is read, and of a thousand rows the trees are most of what is collected as garbage. */
function featuresWriter(columns: readonly RecordedColumn[]): CellWriter {
  const pieces = columns.flatMap(({ name }, i) => [`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`, '']);
  const cells = columns.map(cellWriter);
  pieces.push(columns.length === 0 ? '{}' : '}');
  return (row) => {
    for (let i = 0; i < cells.length; i++) pieces[2 * i + 1] = cells[i]!(row);
    return pieces.join('');
  };
}

function cellWriter({ type, values }: RecordedColumn): CellWriter {
  switch (type) {
    case 'number':
      return (row) => numberText(values[row]);
    case 'boolean':
      return (row) => booleanText(values[row]);
    case 'text':
      return (row) => (values[row] === '' ? 'null' : JSON.stringify(values[row]));
    case 'timestamp':
      return (row) => (values[row] === MISSING_TIMESTAMP ? 'null' : numberText(values[row]));
  }
}

function numberText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  // Negative zero is 0, as JSON.stringify has it.
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : 'null';
}

function booleanText(value: unknown): string {
  if (typeof value !== 'number' || Number.isNaN(value)) return 'null';
  return value === 0 ? 'false' : 'true';
}

function outputWriter(output: OutputBatch): CellWriter {
  switch (output.kind) {
    case 'binary':
      return (row) =>
        `{"probability":${numberText(output.probability[row])},"decision":${output.decision[row] === 1}}`;
    case 'multiclass':
      return multiclassWriter(output);
    case 'regression':
      return (row) => `{"value":${numberText(output.value[row])}}`;
  }
}

function multiclassWriter(output: Extract<OutputBatch, { kind: 'multiclass' }>): CellWriter {
  const names = output.classes.map((name, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`);
  return (row) => {
    const start = row * names.length;
    const probabilities = names.map((name, index) => name + numberText(output.probabilities[start + index]));
    return `{"probabilities":{${probabilities.join('')}},"decision":${JSON.stringify(output.decision[row])}}`;
  };
}
