import { MISSING_TIMESTAMP, type ColumnType, type InputColumn } from '@perennial/contract';
import type { Tensor } from 'onnxruntime-node';
import type { CodedBatch, CodedTexts, ColumnBatch, RawColumn } from './batch.ts';
import { codedInputs } from './batch-graph/coded-texts.ts';
import { PLANAR_INPUT } from './batch-graph/planar-numbers.ts';
import { BatchInvalidError } from './errors.ts';
import { ort } from './onnxruntime.ts';
import { PACKED_INPUT } from './packed-numbers.ts';
import { ARTIFACT_NAMES, type BorderNames } from './tensor-names.ts';

/** Columns of numbers that enter as one input. */
export interface TogetherColumns {
  /** Side by side, as `withPackedNumbers` says. */
  packed?: readonly string[];
  /** One after another, as `planarNumbers` says. */
  planar?: readonly string[];
}

/** Turns batches of raw columns into input tensors. Names are worked out once, since this runs for every request. */
export class Feeds {
  readonly #columns: readonly InputColumn[];
  readonly #inputs: { column: string; input: string; type: ColumnType }[];
  readonly #packed: readonly InputColumn[];
  readonly #planar: readonly InputColumn[];

  constructor(
    columns: readonly InputColumn[],
    names: BorderNames = ARTIFACT_NAMES,
    { packed = [], planar = [] }: TogetherColumns = {},
  ) {
    const called = (name: string) => columns.filter((column) => column.name === name);
    this.#columns = columns;
    this.#packed = packed.flatMap(called);
    this.#planar = planar.flatMap(called);
    this.#inputs = columns
      .filter(({ name }) => !packed.includes(name) && !planar.includes(name))
      .map(({ name, type }) => ({ column: name, input: names.column(name), type }));
  }

  /** The tensors of a batch; they share its memory, but for packed numbers, and planar ones that do not lie one after another. @throws BatchInvalidError naming the column that does not fit. */
  of(batch: ColumnBatch | CodedBatch): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    if (this.#packed.length > 0) feeds[PACKED_INPUT] = packNumbers(batch, this.#packed);
    if (this.#planar.length > 0) feeds[PLANAR_INPUT] = layNumbers(batch, this.#planar);
    const shape = [batch.rows, 1];
    for (const { column, input, type } of this.#inputs) {
      const data = columnOf(batch, column);
      if (isCoded(data)) addCoded(feeds, data, { column, input, type, shape });
      else feeds[input] = columnTensor(data, { column, type, shape });
    }
    return feeds;
  }

  /** Rows in which every value is missing. */
  missing(rows: number): ColumnBatch {
    const columns = this.#columns.map(({ name, type }) => [name, missingColumn(type, rows)] as const);
    return { rows, columns: Object.fromEntries(columns) };
  }
}

/** @throws BatchInvalidError */
function columnOf(batch: ColumnBatch | CodedBatch, column: string): RawColumn | CodedTexts {
  const data = batch.columns[column];
  if (data === undefined) throw new BatchInvalidError(column, 'is not in the batch');
  const { length } = isCoded(data) ? data.codes : data;
  if (length === batch.rows) return data;
  throw new BatchInvalidError(column, `has ${length} rows where the batch has ${batch.rows}`);
}

/** @throws BatchInvalidError */
function numbersOf(batch: ColumnBatch | CodedBatch, { name, type }: InputColumn): Float64Array {
  const data = columnOf(batch, name);
  if (data instanceof Float64Array) return data;
  throw new BatchInvalidError(name, notFloats(type));
}

/** Columns of numbers side by side, row after row. */
function packNumbers(batch: ColumnBatch | CodedBatch, columns: readonly InputColumn[]): Tensor {
  const { rows } = batch;
  const width = columns.length;
  const packed = new Float64Array(rows * width);
  columns.forEach((column, i) => {
    const data = numbersOf(batch, column);
    for (let row = 0, at = i; row < rows; row++, at += width) packed[at] = data[row] as number;
  });
  return new ort.Tensor('float64', packed, [rows, width]);
}

/** Columns of numbers one after another: in the memory where they lie when they lie so. */
function layNumbers(batch: ColumnBatch | CodedBatch, columns: readonly InputColumn[]): Tensor {
  const { rows } = batch;
  const parts = columns.map((column) => numbersOf(batch, column));
  const shape = [parts.length, rows];
  const { buffer, byteOffset } = parts[0] as Float64Array;
  const size = rows * Float64Array.BYTES_PER_ELEMENT;
  if (parts.every((part, i) => part.buffer === buffer && part.byteOffset === byteOffset + i * size))
    return new ort.Tensor('float64', new Float64Array(buffer, byteOffset, parts.length * rows), shape);
  const laid = new Float64Array(parts.length * rows);
  parts.forEach((part, i) => laid.set(part, i * rows));
  return new ort.Tensor('float64', laid, shape);
}

function isCoded(column: unknown): column is CodedTexts {
  return typeof column === 'object' && column !== null && 'codes' in column;
}

const notFloats = (type: ColumnType): string => `is a ${type} and must be a Float64Array`;

function addCoded(
  feeds: Record<string, Tensor>,
  { texts, codes }: CodedTexts,
  { column, input, type, shape }: { column: string; input: string; type: ColumnType; shape: number[] },
): void {
  if (type !== 'text') throw new BatchInvalidError(column, `is a ${type} and cannot be coded texts`);
  const names = codedInputs(input);
  feeds[names.texts] = new ort.Tensor('string', [...texts], [texts.length]);
  feeds[names.codes] = new ort.Tensor('int32', codes, shape);
}

function columnTensor(data: RawColumn, about: { column: string; type: ColumnType; shape: number[] }): Tensor {
  const { column, type, shape } = about;
  switch (type) {
    case 'number':
    case 'boolean':
      if (data instanceof Float64Array) return new ort.Tensor('float64', data, shape);
      throw new BatchInvalidError(column, notFloats(type));
    case 'timestamp':
      if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape);
      throw new BatchInvalidError(column, 'is a timestamp and must be a BigInt64Array');
    case 'text':
      if (Array.isArray(data)) return new ort.Tensor('string', data, shape);
      throw new BatchInvalidError(column, 'is text and must be an array of strings');
  }
}

function missingColumn(type: ColumnType, rows: number): RawColumn {
  switch (type) {
    case 'number':
    case 'boolean':
      return new Float64Array(rows).fill(NaN);
    case 'timestamp':
      return new BigInt64Array(rows).fill(MISSING_TIMESTAMP);
    case 'text':
      return Array<string>(rows).fill('');
  }
}

/** The same rows with the texts coded. */
export function coded({ rows, columns }: ColumnBatch): CodedBatch {
  const entries = Object.entries(columns).map(
    ([name, column]) =>
      [
        name,
        Array.isArray(column) ? { texts: column, codes: Int32Array.from(column.keys()) } : column,
      ] as const,
  );
  return { rows, columns: Object.fromEntries(entries) };
}
