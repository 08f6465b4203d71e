/** A name as a SQL identifier, whatever it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value as a SQL literal. Numbers must be finite; they are read back as the same double. */
export function literal(value: string | number | boolean): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'boolean') return String(value);
  // A plain `0.1` would be a DECIMAL to DuckDB, and arithmetic on it decimal.
  return `CAST('${value}' AS DOUBLE)`;
}

export function literals(values: readonly (string | number | boolean)[]): string {
  return values.map(literal).join(', ');
}

/** An instant as a TIMESTAMP literal in UTC. */
export function timestampLiteral(instant: Date): string {
  return `TIMESTAMP '${instant.toISOString().replace('T', ' ').replace('Z', '')}'`;
}

/**
 * A number's text as JavaScript writes it, for the whole numbers that categories are made of: a DOUBLE column's `1.0` is the category `1`, as
 * it is when the same column was stored as BIGINT.
 */
export function numberText(sql: string): string {
  return `CASE WHEN abs(${sql}) < 1e15 AND ${sql} = trunc(${sql}) THEN CAST(CAST(${sql} AS BIGINT) AS VARCHAR) ELSE CAST(${sql} AS VARCHAR) END`;
}

/** A path as a glob that matches only itself. */
export function globEscaped(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
