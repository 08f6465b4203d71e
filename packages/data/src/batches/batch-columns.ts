import type { ColumnType, InputColumn, Signature } from '@perennial/contract';
import { momentSql } from '../border.ts';
import type { BufferForm } from '../batch-buffer.ts';
import { columnTypeOf, spokenType } from '../column-types.ts';
import { BatchInputInvalidError } from '../errors.ts';
import { identifier } from '../sql.ts';
import type { SourceColumn } from '../source-relation.ts';

/** What of a file a batch reads. */
export interface BatchColumns {
  inputs: readonly InputColumn[];
  /** Columns that are passed through. */
  keys: readonly string[];
}

/** An input column as it is read. */
export interface InputItem {
  name: string;
  form: BufferForm;
  /** DOUBLE, BIGINT or VARCHAR. */
  sql: string;
}

/** The columns that a batch's output has beside the keys. */
export function batchColumnNames({ kind }: Signature['output']): string[] {
  switch (kind) {
    case 'binary':
      return ['probability', 'decision'];
    case 'multiclass':
      return ['probabilities', 'decision'];
    case 'regression':
      return ['value'];
  }
}

/**
 * How the inputs of a file are read.
 *
 * @throws BatchInputInvalidError when a column is missing or of a type that the model does not take
 */
export function inputItems(
  file: string,
  found: readonly SourceColumn[],
  { inputs, keys }: BatchColumns,
): InputItem[] {
  for (const name of keys) columnOf(file, found, name);
  return inputs.map(({ name, type }) => {
    const column = columnOf(file, found, name);
    if (!isTaken(column.type, type)) {
      const problem = `the column '${name}' is ${spokenType(column.type)}, but the model takes ${type}`;
      throw new BatchInputInvalidError(file, problem);
    }
    return { name, ...itemOf({ sql: identifier(name), type: column.type }, type) };
  });
}

function columnOf(file: string, found: readonly SourceColumn[], name: string): SourceColumn {
  const column = found.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  const there = found.map((candidate) => candidate.name).join(', ');
  throw new BatchInputInvalidError(file, `there is no column '${name}'; there are ${there.slice(0, 2_000)}`);
}

/** A time may come as text in ISO 8601; a file without a value in a column says nothing of its type. */
function isTaken(type: string, as: ColumnType): boolean {
  const kind = columnTypeOf(type);
  return kind === as || (as === 'timestamp' && type === 'VARCHAR') || type === '"NULL"';
}

function itemOf(column: { sql: string; type: string }, as: ColumnType): Omit<InputItem, 'name'> {
  switch (as) {
    case 'number':
    case 'boolean':
      return { form: 'float64', sql: `CAST(${column.sql} AS DOUBLE)` };
    case 'text':
      return { form: 'text', sql: `CAST(${column.sql} AS VARCHAR)` };
    case 'timestamp':
      return { form: 'int64', sql: `epoch_ms(${moment(column)})` };
  }
}

/** As a dataset reads it, but that a text which is no time is an error rather than a missing value. */
function moment({ sql, type }: { sql: string; type: string }): string {
  if (type !== 'VARCHAR') return momentSql({ sql, type });
  const time = `CAST(nullif(${sql}, '') AS TIMESTAMPTZ)`;
  return `CASE WHEN isfinite(${time}) THEN ${time} END`;
}
