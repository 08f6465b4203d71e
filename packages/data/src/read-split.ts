import { dirname, resolve } from 'node:path';
import {
  MISSING_TIMESTAMP,
  type ColumnType,
  type DatasetManifest,
  type InputColumn,
} from '@perennial/contract';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import { BatchBuffer, type BufferForm } from './batch-buffer.ts';
import { Engine, rethrowQueryError } from './engine.ts';
import { QueryFailedError, SplitUnreadableError } from './errors.ts';
import { globEscaped, identifier, literal } from './sql.ts';
import { categoryText } from './vocabulary.ts';

export interface ReadSplitOptions {
  /** The split's Parquet file on the local disk. */
  file: string;
  /** The manifest of the dataset version that the split belongs to. */
  manifest: DatasetManifest;
  /**
   * Rows per batch; the last one has fewer.
   * @default 8192
   */
  batchRows?: number;
  /** The input columns that are wanted; all of the encoder's when absent. */
  columns?: readonly string[];
}

/** Some rows of a split, in the file's order: by time. */
export interface SplitBatch {
  /** Raw columns in the forms that an artifact takes. */
  batch: ColumnBatch;
  /** 0 or 1 for a binary label, the number of a regression, the class of a multiclass one. */
  labels: Float64Array | string[];
  /** Per slice column of the manifest its text; '' is missing. */
  slices: Record<string, string[]>;
  /** Milliseconds since 1970. */
  times: BigInt64Array;
  /** '' is missing; null where the pipeline has no key. */
  keys: string[] | null;
  /** What each row is known by in every dataset version; never negative. */
  rowHashes: BigInt64Array;
}

/**
 * Reads a split batch by batch, column by column from DuckDB's vectors; memory holds about two batches. Leave the loop to stop early.
 *
 * @throws SplitUnreadableError when the file is not the manifest's split
 */
export async function* readSplit(options: ReadSplitOptions): AsyncGenerator<SplitBatch, void, undefined> {
  const { manifest, batchRows = 8192 } = options;
  const file = resolve(options.file);
  const engine = await Engine.open({ threads: 1, memoryLimit: '512MB', readable: [dirname(file)] });
  try {
    const relation = `read_parquet(${literal(globEscaped(file))})`;
    const plan = planRead(manifest, options.columns, await hasKey(engine, relation));
    for await (const columns of batchesOf(engine, plan, { relation, batchRows }))
      yield splitBatch(plan, columns);
  } catch (error) {
    if (!(error instanceof QueryFailedError)) throw error;
    throw new SplitUnreadableError(manifest.pipeline, error.reason, { cause: error });
  } finally {
    engine.close();
  }
}

async function hasKey(engine: Engine, relation: string): Promise<boolean> {
  const columns = await engine.main.rows<{ column_name: string }>(`DESCRIBE FROM ${relation}`);
  return columns.some(({ column_name }) => column_name === '__key');
}

/** A column of the answer. */
interface ReadItem {
  sql: string;
  form: BufferForm;
}

interface ReadPlan {
  /** Columns that are read: the wanted inputs, then slice columns not among them; slices that are no inputs are text. */
  read: readonly InputColumn[];
  wanted: readonly string[];
  slices: readonly string[];
  hasKey: boolean;
  /** The columns that are read, label, time, the row's hash, and the key where there is one. */
  items: ReadItem[];
}

function planRead(
  manifest: DatasetManifest,
  names: readonly string[] | undefined,
  withKey: boolean,
): ReadPlan {
  const inputs = manifest.encoder.columns;
  const wanted = names ?? inputs.map(({ name }) => name);
  const stranger = wanted.find((name) => !inputs.some((input) => input.name === name));
  if (stranger !== undefined) {
    const there = inputs.map(({ name }) => name).join(', ');
    throw new SplitUnreadableError(
      manifest.pipeline,
      `there is no input column '${stranger}'; there are ${there}`,
    );
  }
  const read = [...new Set([...wanted, ...manifest.slices])].map(
    (name): InputColumn => inputs.find((input) => input.name === name) ?? { name, type: 'text' },
  );
  const items: ReadItem[] = [
    ...read.map(columnItem),
    { sql: '"__label"', form: manifest.label.kind === 'multiclass' ? 'text' : 'float64' },
    { sql: '"__time"', form: 'int64' },
    { sql: '"__row"', form: 'int64' },
    ...(withKey ? [{ sql: `coalesce("__key", '')`, form: 'text' as const }] : []),
  ];
  return { read, wanted, slices: manifest.slices, hasKey: withKey, items };
}

/** A column with the value that stands for a missing one in place of NULL, so that no validity needs to be looked at row by row. */
function columnItem({ name, type }: InputColumn): ReadItem {
  const column = identifier(name);
  switch (type) {
    case 'number':
    case 'boolean':
      return { sql: `coalesce(CAST(${column} AS DOUBLE), CAST('NaN' AS DOUBLE))`, form: 'float64' };
    case 'text':
      return { sql: `coalesce(${column}, '')`, form: 'text' };
    case 'timestamp':
      return { sql: `coalesce(epoch_ms(${column}), CAST('${MISSING_TIMESTAMP}' AS BIGINT))`, form: 'int64' };
  }
}

async function* batchesOf(
  engine: Engine,
  { items }: ReadPlan,
  { relation, batchRows }: { relation: string; batchRows: number },
): AsyncGenerator<RawColumn[], void, undefined> {
  const forms = items.map(({ form }) => form);
  const result = await engine.main.stream(
    `SELECT ${items.map(({ sql }) => sql).join(', ')} FROM ${relation}`,
  );
  const buffer = new BatchBuffer(forms, batchRows);
  for (;;) {
    const chunk = await result.fetchChunk().catch(rethrowQueryError);
    if (chunk === null || chunk.rowCount === 0) break;
    for (let row = 0; row < chunk.rowCount;) {
      row += buffer.append(chunk, row);
      if (buffer.isFull) yield buffer.take();
    }
  }
  if (buffer.rows > 0) yield buffer.take();
}

function splitBatch({ read, wanted, slices, hasKey: withKey }: ReadPlan, columns: RawColumn[]): SplitBatch {
  const [labels, times, rowHashes, keys] = columns.slice(read.length);
  const byName = new Map(read.map(({ name, type }, i) => [name, { type, column: columns[i] ?? [] }]));
  return {
    batch: {
      rows: times?.length ?? 0,
      columns: Object.fromEntries(wanted.map((name) => [name, byName.get(name)?.column ?? []])),
    },
    labels: labels as Float64Array | string[],
    slices: Object.fromEntries(slices.map((name) => [name, sliceText(byName.get(name))])),
    times: times as BigInt64Array,
    keys: withKey ? (keys as string[]) : null,
    rowHashes: rowHashes as BigInt64Array,
  };
}

function sliceText(read: { type: ColumnType; column: RawColumn } | undefined): string[] {
  if (read === undefined || !(read.column instanceof Float64Array)) return (read?.column ?? []) as string[];
  const { type } = read;
  return Array.from(read.column, (value) => (Number.isNaN(value) ? '' : categoryText(value, type)));
}
