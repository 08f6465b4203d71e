import { join } from 'node:path';
import type { SourceSpec } from '@perennial/contract';
import type { Connection } from './engine.ts';
import type { DatasetPlan } from './plan.ts';
import { REJECTS } from './source-relation.ts';
import { identifier, literal } from './sql.ts';
import { STAGED, bitLiteral } from './staging.ts';

/** Rows kept out of the dataset. */
export interface Quarantine {
  rows: number;
  /** Rows per broken condition, most first; a row that broke two counts in both. */
  reasons: { reason: string; rows: number }[];
  /** Parquet of the rows with `__reason`; absent when there are none. */
  file: string | undefined;
}

/** The reasons behind the mask's bits, in order of bit. */
export function maskReasons(plan: DatasetPlan, unseenClasses: string | undefined): string[] {
  const planned = [...plan.conditions, ...plan.uniques].map(({ reason }) => reason);
  return unseenClasses === undefined ? planned : [...planned, unseenClasses];
}

/** Counts the rows that broke something and writes them, with all their reasons, to a file in `folder`. */
export async function quarantineRows(
  connection: Connection,
  plan: DatasetPlan,
  { reasons, folder }: { reasons: readonly string[]; folder: string },
): Promise<Quarantine> {
  const broken = await brokenRows(connection, reasons);
  const lines = readsCsv(plan.spec.data.source) ? await rejectedLines(connection) : [];
  const rejected = lines.reduce((sum, line) => sum + line.rows, 0);
  const counted = [...broken.reasons, ...lines].filter(({ rows }) => rows > 0);
  const rows = broken.rows + rejected;
  const file = rows === 0 ? undefined : join(folder, 'quarantine.parquet');
  if (file !== undefined) await connection.run(copySql(plan, { reasons, file, withLines: rejected > 0 }));
  counted.sort((a, b) => b.rows - a.rows || (a.reason < b.reason ? -1 : 1));
  return { rows, reasons: counted, file };
}

function readsCsv(source: SourceSpec): boolean {
  return source.kind === 'csv' || (source.kind === 'objectStore' && source.format === 'csv');
}

async function brokenRows(connection: Connection, reasons: readonly string[]) {
  const counts = reasons.map((_, bit) => `count(*) FILTER (mask & ${bitLiteral(bit)} <> 0)`);
  const row = await connection.row<{ n: bigint; counts: bigint[] }>(
    `SELECT count(*) AS n, [${counts.join(', ')}] AS counts FROM ${STAGED} WHERE mask <> 0`,
  );
  return {
    rows: Number(row.n),
    reasons: reasons.map((reason, bit) => ({ reason, rows: Number(row.counts[bit] ?? 0n) })),
  };
}

/** Lines of a CSV file that make no row, by what is wrong with them: with the line's shape rather than with a value in it, where both are. */
async function rejectedLines(connection: Connection): Promise<{ reason: string; rows: number }[]> {
  const rows = await connection.rows<{ reason: string; rows: bigint }>(
    `SELECT reason, count(*) AS rows FROM (SELECT DISTINCT ON (file_id, line) ${LINE_REASON} AS reason
       FROM ${REJECTS} ORDER BY file_id, line, error_type = 'CAST', byte_position) GROUP BY reason`,
  );
  return rows.map(({ reason, rows: count }) => ({ reason, rows: Number(count) }));
}

const LINE_REASON = `CASE error_type WHEN 'CAST' THEN 'the line can be read: wrong type in ' || column_name
  ELSE 'the line can be read: ' || lower(error_type) END`;

function copySql(
  plan: DatasetPlan,
  { reasons, file, withLines }: { reasons: readonly string[]; file: string; withLines: boolean },
): string {
  const columns = plan.read.map(({ name, sql }) => `${sql} AS ${identifier(name)}`);
  const spoken = reasons.map(
    (reason, bit) => `CASE WHEN mask & ${bitLiteral(bit)} <> 0 THEN ${literal(reason)} END`,
  );
  const rows = `SELECT ${columns.join(', ')}, concat_ws('; ', ${spoken.join(', ')}) AS __reason
    FROM ${STAGED} WHERE mask <> 0 ORDER BY instant NULLS FIRST, ${plan.read.map(({ sql }) => sql).join(', ')}`;
  const lines = `SELECT string_agg('line ' || line || ': ' || error_message, '; ' ORDER BY byte_position) AS __reason,
    any_value(csv_line) AS __line FROM ${REJECTS} GROUP BY file_id, line`;
  const all = withLines ? `(${rows}) UNION ALL BY NAME (${lines})` : rows;
  return `COPY (${all}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`;
}
