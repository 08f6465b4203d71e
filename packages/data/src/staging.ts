import type { Connection } from './engine.ts';
import { authorError } from './author-sql.ts';
import { momentSql, rawMomentSql } from './border.ts';
import { QueryFailedError } from './errors.ts';
import type { DatasetPlan } from './plan.ts';
import { identifier, timestampLiteral } from './sql.ts';
import type { WindowBounds } from './window.ts';

/** The rows of the window as they were read, with label, instant (milliseconds), the mask of conditions they break, and their hash. */
export const STAGED = 'staged';

/** What DuckDB says of an expression that fails on a row's values, and of some damaged files. */
const ROW_FAULTS = ['Conversion', 'Invalid Input', 'Out of Range'];

/** What is staged from: the source as a table expression, and its part that is wanted. */
export interface StagingInput {
  relation: string;
  bounds: WindowBounds;
}

/**
 * Reads the source once: every column that is needed of every row of the window, and of every row without a time, with what is wrong with it.
 *
 * @throws PipelineInvalidError when an author's expression fails on a row
 */
export async function stageRows(
  connection: Connection,
  plan: DatasetPlan,
  input: StagingInput,
): Promise<void> {
  try {
    await connection.run(stagingSql(plan, input));
  } catch (error) {
    if (error instanceof QueryFailedError && ROW_FAULTS.includes(error.kind))
      await blameAuthor(connection, plan, input);
    throw error;
  }
  for (const [index, unique] of plan.uniques.entries()) {
    const columns = unique.columns.map(({ sql }) => sql);
    await markRepeated(connection, plan, { columns, bit: plan.conditions.length + index });
  }
}

function stagingSql(plan: DatasetPlan, { relation, bounds }: StagingInput): string {
  const raw = plan.time.name;
  const time = { sql: identifier(raw), type: plan.time.type };
  const selected = [
    ...plan.read.map(({ name, sql }) => `${identifier(name)} AS ${sql}`),
    `epoch_ms(${momentSql(time)}) AS instant`,
    `${plan.label.value(plan.label.author.wrapped)} AS label`,
    ...plan.predicates.map(({ author, alias }) => `${author.wrapped} AS ${alias}`),
    ...plan.rowHash.parts.map(({ alias, sql }) => `${sql} AS ${alias}`),
  ];
  const mask = plan.conditions.map(({ sql }, bit) => `CASE WHEN ${sql} THEN 0 ELSE ${bitLiteral(bit)} END`);
  const kept = plan.read.map(({ sql }) => sql).join(', ');
  return `CREATE TABLE ${STAGED} AS SELECT ${kept}, instant, label, ${mask.join(' + ')} AS mask, ${plan.rowHash.hash} AS row_hash
    FROM (SELECT ${selected.join(', ')} FROM ${relation} WHERE ${inWindow(rawMomentSql(time), bounds)})`;
}

function inWindow(moment: string, { from, to }: WindowBounds): string {
  return `${moment} IS NULL OR (${moment} >= ${timestampLiteral(from)} AND ${moment} < ${timestampLiteral(to)})`;
}

export function bitLiteral(bit: number): string {
  return `CAST(${1n << BigInt(bit)} AS BIGINT)`;
}

/** Sends repeated rows to quarantine, all but the first in order of time; a row that is broken otherwise gives way to one that is not. */
async function markRepeated(
  connection: Connection,
  plan: DatasetPlan,
  { columns, bit }: { columns: string[]; bit: number },
): Promise<void> {
  const order = ['mask <> 0', 'instant', ...plan.read.map(({ sql }) => sql)].join(', ');
  const present = columns.map((column) => `${column} IS NOT NULL`).join(' AND ');
  await connection.run(`UPDATE ${STAGED} SET mask = mask + ${bitLiteral(bit)} WHERE rowid IN (
    SELECT row_id FROM (
      SELECT rowid AS row_id, row_number() OVER (PARTITION BY ${columns.join(', ')} ORDER BY ${order}) AS place
      FROM ${STAGED} WHERE ${present})
    WHERE place > 1)`);
}

/** Finds the author's expression that fails on the rows, if one does, by asking for each by itself; the rows must be readable without them. */
async function blameAuthor(
  connection: Connection,
  plan: DatasetPlan,
  { relation, bounds }: StagingInput,
): Promise<void> {
  const time = { sql: identifier(plan.time.name), type: plan.time.type };
  const from = `FROM ${relation} WHERE ${inWindow(rawMomentSql(time), bounds)}`;
  const counts = plan.read.map(({ name }) => `count(${identifier(name)})`);
  if ((await failureOf(connection, `SELECT ${counts.join(', ')} ${from}`)) !== undefined) return;
  for (const author of [plan.label.author, ...plan.predicates.map((predicate) => predicate.author)]) {
    const failure = await failureOf(connection, `SELECT count(${author.wrapped}) ${from}`);
    if (failure !== undefined) throw authorError(author, `fails on a row: ${failure.reason}`, failure);
  }
}

async function failureOf(connection: Connection, sql: string): Promise<QueryFailedError | undefined> {
  try {
    await connection.run(sql);
    return undefined;
  } catch (error) {
    if (error instanceof QueryFailedError) return error;
    throw error;
  }
}
