import type { Expectation } from '@perennial/contract';

declare const columns: unique symbol;

/** An expectation that reads the columns `Column`. */
export type ExpectationOn<Column extends string = string> = Expectation & { readonly [columns]?: Column };

/** The column has a value. */
export function notNull<const Column extends string>(column: Column): ExpectationOn<Column> {
  return { kind: 'notNull', column };
}

/** The number is at least `min` and at most `max`; leave one out for a one-sided range. Null breaks it. */
export function between<const Column extends string>(
  column: Column,
  min: number | undefined,
  max?: number,
): ExpectationOn<Column> {
  return {
    kind: 'between',
    column,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

/** The value is one of these. Null breaks it. */
export function oneOf<const Column extends string>(
  column: Column,
  values: readonly (string | number | boolean)[],
): ExpectationOn<Column> {
  return { kind: 'oneOf', column, values: [...values] };
}

/** The whole text matches the regular expression (RE2 syntax: no look-around, no back-references). Null breaks it. */
export function matches<const Column extends string>(
  column: Column,
  pattern: string | RegExp,
): ExpectationOn<Column> {
  return { kind: 'matches', column, pattern: typeof pattern === 'string' ? pattern : pattern.source };
}

/** The columns together name a row; of repeated rows the first in order of time is kept. */
export function unique<const Column extends string>(...names: [Column, ...Column[]]): ExpectationOn<Column> {
  return { kind: 'unique', columns: names };
}

/** How many rows the window has before any goes to quarantine. Too few or too many fail the run. */
export function rowCount(limits: { min?: number; max?: number }): ExpectationOn<never> {
  return { kind: 'rowCount', ...limits };
}

/** A free SQL predicate over the row: `predicate('leaves before it lands', 'departure < arrival')`. Null breaks it. */
export function predicate(name: string, sql: string): ExpectationOn<never> {
  return { kind: 'predicate', name, sql };
}
