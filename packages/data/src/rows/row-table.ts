import type { AppendedColumn, Connection } from '../engine.ts';
import type { SourceColumn } from '../source-relation.ts';
import { identifier } from '../sql.ts';

/** The table that rows which come from no file are staged in, before anything is asked of them. */
export const SOURCE_ROWS = 'source_rows';

/** Makes the table of these columns. */
export async function createRowTable(
  connection: Connection,
  columns: readonly SourceColumn[],
): Promise<void> {
  const shape = columns.map(({ name, type }) => `${identifier(name)} ${type}`).join(', ');
  await connection.run(`CREATE TABLE ${SOURCE_ROWS} (${shape})`);
}

export async function addColumn(connection: Connection, { name, type }: SourceColumn): Promise<void> {
  await connection.run(`ALTER TABLE ${SOURCE_ROWS} ADD COLUMN ${identifier(name)} ${type}`);
}

export async function appendRows(connection: Connection, columns: readonly AppendedColumn[]): Promise<void> {
  await connection.append(SOURCE_ROWS, columns);
}
