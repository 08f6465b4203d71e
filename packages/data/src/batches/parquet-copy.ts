import { identifier, literal } from '../sql.ts';

/** Rows per row group; DuckDB's own unit of work, so that readers can share a file out. */
const ROW_GROUP_ROWS = 122_880;

/** Small for what is kept; quick for what is soon read again and then taken away. */
const COMPRESSIONS = { small: 'COMPRESSION zstd, COMPRESSION_LEVEL 1', quick: 'COMPRESSION snappy' };

export interface ParquetTarget {
  target: string;
  /** What the file says of itself. */
  properties: Readonly<Record<string, string>>;
  compression: keyof typeof COMPRESSIONS;
}

/** A statement that writes a query's rows to a Parquet file. */
export function copyToParquet(query: string, { target, properties, compression }: ParquetTarget): string {
  const said = Object.entries(properties).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return `COPY (${query}) TO ${literal(target)} (FORMAT parquet, ${COMPRESSIONS[compression]},
    ROW_GROUP_SIZE ${ROW_GROUP_ROWS}${said.length === 0 ? '' : `, KV_METADATA {${said.join(', ')}}`})`;
}
