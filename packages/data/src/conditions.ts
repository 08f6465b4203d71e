import type { Expectation } from '@perennial/contract';
import { authorError, type AuthorSql } from './author-sql.ts';
import { SourceInvalidError } from './errors.ts';
import type { ReadColumn, ReadColumns } from './read-columns.ts';
import { literal, literals } from './sql.ts';

/** Something that must hold of a staged row. */
export interface Condition {
  /** In words, as it stands in the quarantine and on the data card: `distance is between 10 and 6000`. */
  reason: string;
  /** True where it holds; false or NULL sends the row to quarantine. Over the staged table's columns. */
  sql: string;
}

/** Columns that together name a row. */
export interface UniqueCondition {
  reason: string;
  columns: ReadColumn[];
}

/** An expectation about single rows; `unique`, `rowCount` and `predicate` are not. */
export type ColumnExpectation = Exclude<Expectation, { kind: 'unique' | 'rowCount' | 'predicate' }>;

/** Plans an expectation of one column. `author` says whose it is and in which field. */
export function columnCondition(
  expectation: ColumnExpectation,
  columns: ReadColumns,
  author: Omit<AuthorSql, 'sql'>,
): Condition {
  const field = `${author.field}.column`;
  switch (expectation.kind) {
    case 'notNull': {
      const { name, sql } = columns.read(expectation.column, field);
      return { reason: `${name} is not null`, sql: `${sql} IS NOT NULL` };
    }
    case 'between':
      return betweenCondition(expectation, columns.read(expectation.column, field, ['number']));
    case 'oneOf':
      return oneOfCondition(
        expectation,
        columns.read(expectation.column, field, ['number', 'text', 'boolean']),
        author,
      );
    case 'matches': {
      const { name, sql } = columns.read(expectation.column, field, ['text']);
      const { pattern } = expectation;
      return {
        reason: `${name} matches ${pattern}`,
        sql: `regexp_full_match(CAST(${sql} AS VARCHAR), ${literal(pattern)})`,
      };
    }
  }
}

export function uniqueCondition(
  { columns: names }: Extract<Expectation, { kind: 'unique' }>,
  columns: ReadColumns,
  { field }: Omit<AuthorSql, 'sql'>,
): UniqueCondition {
  const verb = names.length === 1 ? 'names' : 'name';
  return {
    reason: `${names.join(' and ')} ${verb} one row`,
    columns: names.map((name, index) => columns.read(name, `${field}.columns[${index}]`)),
  };
}

function betweenCondition(
  { min, max }: Extract<Expectation, { kind: 'between' }>,
  { name, sql }: ReadColumn,
): Condition {
  const number = `CAST(${sql} AS DOUBLE)`;
  const limits = [
    // NaN is above every number to DuckDB and would pass a lower limit.
    `NOT isnan(${number})`,
    ...(min === undefined ? [] : [`${number} >= ${literal(min)}`]),
    ...(max === undefined ? [] : [`${number} <= ${literal(max)}`]),
  ];
  return { reason: `${name} is ${spokenRange(min, max)}`, sql: limits.join(' AND ') };
}

function spokenRange(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `at most ${max ?? 'anything'}`;
  return max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
}

const SPOKEN_VALUES = 8;

function oneOfCondition(
  { values }: Extract<Expectation, { kind: 'oneOf' }>,
  { name, sql, kind }: ReadColumn,
  author: Omit<AuthorSql, 'sql'>,
): Condition {
  const type = kind === 'text' ? 'string' : kind;
  const stranger = values.findIndex((value) => typeof value !== type);
  if (stranger !== -1) {
    const place = { ...author, field: `${author.field}.values[${stranger}]`, sql };
    throw authorError(place, `must be a ${type}, as the column '${name}' is`);
  }
  const more = values.length > SPOKEN_VALUES ? ` and ${values.length - SPOKEN_VALUES} more` : '';
  const cast = kind === 'number' ? 'DOUBLE' : kind === 'text' ? 'VARCHAR' : 'BOOLEAN';
  return {
    reason: `${name} is one of ${values.slice(0, SPOKEN_VALUES).join(', ')}${more}`,
    sql: `CAST(${sql} AS ${cast}) IN (${literals(values)})`,
  };
}

/** Refuses a pipeline whose rows have more ways to be broken than the staged table's mask has bits. */
export function refuseTooMany(pipeline: string, conditions: number, limit: number): void {
  if (conditions <= limit) return;
  throw new SourceInvalidError(`at most ${limit} conditions can be checked, not ${conditions}`, {
    pipeline,
    field: 'data.expectations',
  });
}
