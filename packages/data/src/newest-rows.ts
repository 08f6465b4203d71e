import { dirname, resolve } from 'node:path';
import type { DatasetManifest, InputColumn } from '@perennial/contract';
import { BatchBuffer } from './batch-buffer.ts';
import { Engine, rethrowQueryError } from './engine.ts';
import { QueryFailedError, SplitUnreadableError } from './errors.ts';
import { globEscaped, identifier, literal } from './sql.ts';

export interface NewestRowsOptions {
  /** The splits' Parquet files on the local disk, oldest first. */
  files: readonly string[];
  manifest: DatasetManifest;
  /** For what does not fit in memory; must exist. */
  workFolder: string;
  /**
   * Rows per batch; the last one has fewer.
   * @default 5000
   */
  batchRows?: number;
}

/** The newest row of an entity. */
export interface NewestRow {
  key: string;
  /** The encoder's input columns as JSON: numbers, texts, true and false; timestamps as milliseconds since 1970; null where missing. */
  features: string;
  at: Date;
}

/** Longest key that an entity may be asked for by. */
const MAX_KEY_LENGTH = 256;

/** More rows than a split has. */
const SPLIT_SPAN = 2 ** 40;

/**
 * The newest row of each entity of a dataset, of those that passed its expectations, batch by batch in no order. Entities whose key is missing or longer than 256 characters
 * are left out, and so are rows with a NUL in a text, which no database keeps.
 *
 * Rows of a split are in order of time, and splits follow each other: an entity's newest row is the last. So memory holds one number for each entity, not its row.
 *
 * @throws SplitUnreadableError when a file is no split of the manifest, or has no keys
 */
export async function* newestRows(options: NewestRowsOptions): AsyncGenerator<NewestRow[], void, undefined> {
  const { manifest, workFolder, batchRows = 5_000 } = options;
  const files = options.files.map((file) => resolve(file));
  const readable = [...new Set(files.map((file) => dirname(file)))];
  const engine = await Engine.open({ threads: 1, memoryLimit: '1GB', folder: resolve(workFolder), readable });
  try {
    const result = await engine.main.stream(query(files, manifest));
    const buffer = new BatchBuffer(['text', 'text', 'int64'], batchRows);
    for (;;) {
      const chunk = await result.fetchChunk().catch(rethrowQueryError);
      if (chunk === null || chunk.rowCount === 0) break;
      for (let row = 0; row < chunk.rowCount;) {
        row += buffer.append(chunk, row);
        if (buffer.isFull) yield rowsOf(buffer);
      }
    }
    if (buffer.rows > 0) yield rowsOf(buffer);
  } catch (error) {
    if (!(error instanceof QueryFailedError)) throw error;
    throw new SplitUnreadableError(manifest.pipeline, error.reason, { cause: error });
  } finally {
    engine.close();
  }
}

function query(files: readonly string[], { encoder: { columns } }: DatasetManifest): string {
  const splits = files.map(
    (file, split) => `SELECT *, CAST(${split * SPLIT_SPAN} AS BIGINT) + file_row_number AS place
      FROM read_parquet(${literal(globEscaped(file))}, file_row_number = true)`,
  );
  const nuls = columns
    .filter(({ type }) => type === 'text')
    .map(({ name }) => `NOT coalesce(contains(${identifier(name)}, chr(0)), false)`);
  const usable = [
    `"__key" <> '' AND length("__key") <= ${MAX_KEY_LENGTH} AND NOT contains("__key", chr(0))`,
    ...nuls,
  ].join(' AND ');
  return `WITH placed AS (${splits.join(' UNION ALL ')}),
    newest AS (SELECT max(place) AS place FROM placed WHERE ${usable} GROUP BY "__key")
    SELECT "__key", CAST(to_json(struct_pack(${columns.map(field).join(', ')})) AS VARCHAR), "__time"
    FROM placed JOIN newest USING (place)`;
}

function field({ name, type }: InputColumn): string {
  const column = identifier(name);
  return `${column} := ${type === 'timestamp' ? `epoch_ms(${column})` : column}`;
}

function rowsOf(buffer: BatchBuffer): NewestRow[] {
  const [keys, features, times] = buffer.take() as [string[], string[], BigInt64Array];
  return keys.map((key, row) => ({
    key,
    features: features[row] ?? '{}',
    at: new Date(Number(times[row])),
  }));
}
