import type { SplitName } from '@perennial/contract';
import type { Connection } from './engine.ts';
import type { DatasetPlan } from './plan.ts';
import { STAGED } from './staging.ts';
import { splitBounds, type WindowBounds } from './window.ts';

/** The rows that broke nothing, in border form and in the order they are written in. */
export const CLEAN = 'clean';

/** The clean rows of one split, as a table expression. */
export function splitRows(bounds: WindowBounds, split: SplitName): string {
  const { from, to } = splitBounds(bounds, split);
  return `(FROM ${CLEAN} WHERE instant >= ${from.getTime()} AND instant < ${to.getTime()})`;
}

/**
 * Puts the clean rows in their final order: time first, then every other column, so that rows in the same place are the same row and the files'
 * bytes do not depend on the order of the source, on threads or on luck. Time first also makes each split one run of rows.
 */
export async function orderCleanRows(connection: Connection, plan: DatasetPlan): Promise<void> {
  const columns = [...plan.inputs, ...plan.slices];
  const values = [
    'instant',
    ...columns.map(({ value, alias }) => `${value} AS ${alias}`),
    'label',
    ...(plan.key === undefined ? [] : [`CAST(${plan.key.sql} AS VARCHAR) AS row_key`]),
    'row_hash',
  ];
  const order = values.map((_, index) => index + 1).join(', ');
  await connection.run(
    `CREATE TABLE ${CLEAN} AS SELECT ${values.join(', ')} FROM ${STAGED} WHERE mask = 0 ORDER BY ${order}`,
  );
}
