import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Split, SplitName } from '@perennial/contract';
import type { ArtifactStore } from '@perennial/storage';
import { splitRows } from './clean.ts';
import type { Connection } from './engine.ts';
import type { DatasetColumn, DatasetPlan } from './plan.ts';
import { identifier, literal } from './sql.ts';
import { splitBounds, type WindowBounds } from './window.ts';

/** Rows per row group; DuckDB's own unit of work, so that readers can share a file out. */
const ROW_GROUP_ROWS = 122_880;

export interface SplitJob {
  split: SplitName;
  rows: number;
  bounds: WindowBounds;
  /** Where the file is made before the store takes it. */
  folder: string;
  artifacts: ArtifactStore;
}

/**
 * Writes one split as Parquet and puts it into the store. The engine must be down to one thread: then rows are written in the table's order into row
 * groups of one size, and equal rows make equal bytes.
 */
export async function writeSplit(connection: Connection, plan: DatasetPlan, job: SplitJob): Promise<Split> {
  const file = join(job.folder, `${job.split}.parquet`);
  const rows = splitRows(job.bounds, job.split);
  await connection.run(
    `COPY (SELECT ${fileColumns(plan).join(', ')} FROM ${rows}) TO ${literal(file)}
     (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
  );
  const { digest, bytes } = await job.artifacts.putFile(file);
  await rm(file);
  const { from, to } = splitBounds(job.bounds, job.split);
  return { digest, rows: job.rows, bytes, from: from.toISOString(), to: to.toISOString() };
}

function fileColumns(plan: DatasetPlan): string[] {
  return [
    ...[...plan.inputs, ...plan.slices].map((column) => `${fileValue(column)} AS ${identifier(column.name)}`),
    'label AS "__label"',
    'instant AS "__time"',
    ...(plan.key === undefined ? [] : ['row_key AS "__key"']),
    'row_hash AS "__row"',
  ];
}

/** A column's value in the file, in a type that other readers understand. */
function fileValue({ alias, type }: DatasetColumn): string {
  switch (type) {
    case 'number':
    case 'text':
      return alias;
    case 'boolean':
      return `CAST(${alias} AS BOOLEAN)`;
    case 'timestamp':
      return `make_timestamp_ms(${alias})`;
  }
}
