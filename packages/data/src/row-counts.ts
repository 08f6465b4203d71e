import { splitNameSchema, type SplitName } from '@perennial/contract';
import { CLEAN } from './clean.ts';
import type { Connection } from './engine.ts';
import { DataInvalidError } from './errors.ts';
import type { OpenSource } from './open-source.ts';
import type { DatasetPlan } from './plan.ts';
import { rawMomentSql } from './border.ts';
import { identifier } from './sql.ts';
import { STAGED } from './staging.ts';
import { splitBounds, type WindowBounds } from './window.ts';

/** What is known of the source's rows. */
type RowsOfSource = Pick<OpenSource, 'relation' | 'windowed'>;

/** Clean rows per split. */
export type RowCounts = Record<SplitName, number>;

/**
 * Checks the expectations about the number of rows, which count before any row goes to quarantine.
 *
 * @throws DataInvalidError naming the expectation
 */
export async function checkRowCounts(connection: Connection, plan: DatasetPlan): Promise<void> {
  const { n } = await connection.row<{ n: bigint }>(`SELECT count(instant) AS n FROM ${STAGED}`);
  for (const [index, expectation] of plan.spec.data.expectations.entries()) {
    if (expectation.kind !== 'rowCount') continue;
    const { min = 0, max = Infinity } = expectation;
    if (Number(n) >= min && Number(n) <= max) continue;
    const wanted = Number(n) < min ? `at least ${min}` : `at most ${max}`;
    const problem = `the window has ${n} rows, but must have ${wanted}`;
    throw new DataInvalidError(problem, { pipeline: plan.spec.name, field: `data.expectations[${index}]` });
  }
}

/**
 * Counts the clean rows of each split.
 *
 * @throws DataInvalidError naming the first split without rows, and where the source's rows are instead
 */
export async function countRows(
  connection: Connection,
  plan: DatasetPlan,
  { bounds, source }: { bounds: WindowBounds; source: RowsOfSource },
): Promise<RowCounts> {
  const [validation, test] = [bounds.validation.getTime(), bounds.test.getTime()];
  const counts = await connection.row<Record<SplitName, bigint>>(
    `SELECT count(*) FILTER (instant < ${validation}) AS train,
       count(*) FILTER (instant >= ${validation} AND instant < ${test}) AS validation,
       count(*) FILTER (instant >= ${test}) AS test FROM ${CLEAN}`,
  );
  for (const split of splitNameSchema.options) {
    if (counts[split] === 0n) throw await emptySplit(connection, plan, { bounds, source, split });
  }
  return { train: Number(counts.train), validation: Number(counts.validation), test: Number(counts.test) };
}

async function emptySplit(
  connection: Connection,
  plan: DatasetPlan,
  { bounds, source, split }: { bounds: WindowBounds; source: RowsOfSource; split: SplitName },
): Promise<DataInvalidError> {
  const { from, to } = splitBounds(bounds, split);
  const { n } = await connection.row<{ n: bigint }>(
    `SELECT count(*) AS n FROM ${STAGED} WHERE instant >= ${from.getTime()} AND instant < ${to.getTime()}`,
  );
  const where = `from ${from.toISOString()} to ${to.toISOString()}`;
  const why = n > 0n ? `all its ${n} rows broke an expectation` : await sourceRange(connection, plan, source);
  return new DataInvalidError(`the ${split} split (${where}) has no rows: ${why}`, {
    pipeline: plan.spec.name,
    field: 'data.window',
  });
}

async function sourceRange(
  connection: Connection,
  plan: DatasetPlan,
  { relation, windowed }: RowsOfSource,
): Promise<string> {
  const moment = rawMomentSql({ sql: identifier(plan.time.name), type: plan.time.type });
  const { low, high } = await connection.row<{ low: string | null; high: string | null }>(
    `SELECT CAST(min(${moment}) AS VARCHAR) AS low, CAST(max(${moment}) AS VARCHAR) AS high FROM ${relation}`,
  );
  if (low === null)
    return windowed ? 'the source has no row in the window' : 'the source has no row with a time';
  return `the source's rows ${windowed ? 'in the window ' : ''}are from ${low} to ${high ?? low}`;
}
