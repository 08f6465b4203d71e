import { identifier, literal } from '../sql.ts';

/** Rows per row group; DuckDB's own unit of work, so that readers can share a file out. */
const ROW_GROUP_ROWS = 122_880;

/** A statement that writes a query's rows to a Parquet file, with what the file says of itself. */
export function copyToParquet(
  query: string,
  { target, properties }: { target: string; properties: Readonly<Record<string, string>> },
): string {
  const said = Object.entries(properties).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return `COPY (${query}) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1,
    ROW_GROUP_SIZE ${ROW_GROUP_ROWS}${said.length === 0 ? '' : `, KV_METADATA {${said.join(', ')}}`})`;
}
