import type { Issue } from '@perennial/contract';
import { PipelineInvalidError } from '@perennial/pipeline';
import type { Connection } from './engine.ts';
import { QueryFailedError } from './errors.ts';
import { identifier, literal } from './sql.ts';
import type { SourceColumn } from './source-relation.ts';

/** A table without rows that has the source's columns; author's expressions are tried on it before any row is read. */
export const SHAPE = 'source_shape';

/** A SQL expression that an author wrote, and the pipeline's field it stands in. */
export interface AuthorSql {
  pipeline: string;
  field: string;
  sql: string;
}

/** An author's expression that has been checked. */
export interface CheckedSql extends AuthorSql {
  /** In parentheses, so that nothing of it reaches what stands around it; a comment at its end stays its own. */
  wrapped: string;
  type: string;
  /** The names it mentions, columns among them. */
  names: Set<string>;
}

/** What DuckDB's parser gives, as far as it is looked at. */
interface SyntaxTree {
  error: boolean;
  error_message?: string;
  statements?: { node: SelectNode }[];
}
interface SelectNode {
  select_list: unknown[];
  from_table: { type: string };
  modifiers: unknown[];
  where_clause: unknown;
}

/** Classes of syntax that make an answer depend on more than the row. */
const REFUSED: Readonly<Record<string, string>> = {
  SUBQUERY: 'a subquery',
  WINDOW: 'a window function',
  STAR: 'a star',
  PARAMETER: 'a parameter',
};

/**
 * Checks an author's expression: that it is one expression over the row's own columns, and means the same today and tomorrow.
 *
 * @throws PipelineInvalidError naming the field
 */
export async function checkAuthorSql(
  connection: Connection,
  author: AuthorSql,
  columns: readonly SourceColumn[],
): Promise<CheckedSql> {
  const found = await parsed(connection, author);
  const names = new Set([...found.columns, ...found.functions]);
  await refuseUnsteady(connection, author, [
    ...found.functions,
    ...[...found.columns].filter((name) => !columns.some((column) => sameName(column.name, name))),
  ]);
  const wrapped = `(${author.sql}\n)`;
  return { ...author, wrapped, names, type: await boundType(connection, author, { wrapped, columns }) };
}

/** The error of an author's expression. */
export function authorError(
  { pipeline, field }: AuthorSql,
  message: string,
  cause?: unknown,
): PipelineInvalidError {
  const issues: Issue[] = [{ path: field, message }];
  return new PipelineInvalidError(issues, { pipeline, cause });
}

async function parsed(connection: Connection, author: AuthorSql) {
  const text = literal(`SELECT (${author.sql}\n)`);
  const { tree } = await connection.row<{ tree: string }>(`SELECT json_serialize_sql(${text}) AS tree`);
  const { error, error_message, statements } = JSON.parse(tree) as SyntaxTree;
  if (error) throw authorError(author, `is not a SQL expression: ${error_message ?? 'it does not parse'}`);
  const [statement, ...others] = statements ?? [];
  if (statement === undefined || others.length > 0 || !isOneExpression(statement.node)) {
    throw authorError(author, 'must be one SQL expression');
  }
  const found: Syntax = { columns: new Set(), functions: new Set(), refused: new Set() };
  collect(statement.node.select_list, found);
  const [refused] = found.refused;
  if (refused !== undefined) throw authorError(author, `must be about one row by itself, but has ${refused}`);
  return found;
}

function isOneExpression({ select_list, from_table, modifiers, where_clause }: SelectNode): boolean {
  return (
    select_list.length === 1 && from_table.type === 'EMPTY' && modifiers.length === 0 && where_clause === null
  );
}

interface Syntax {
  columns: Set<string>;
  functions: Set<string>;
  refused: Set<string>;
}

function collect(node: unknown, found: Syntax): void {
  if (typeof node !== 'object' || node === null) return;
  const { class: kind, column_names, function_name } = node as Record<string, unknown>;
  if (kind === 'COLUMN_REF' && Array.isArray(column_names)) found.columns.add(String(column_names[0]));
  if (kind === 'FUNCTION') found.functions.add(String(function_name));
  const refused = REFUSED[String(kind)];
  if (refused !== undefined) found.refused.add(refused);
  for (const child of Object.values(node)) collect(child, found);
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Functions like now() and random() would give the same rows another dataset at each run. */
async function refuseUnsteady(
  connection: Connection,
  author: AuthorSql,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const list = names.map((name) => literal(name.toLowerCase())).join(', ');
  const unsteady = await connection.rows<{ name: string }>(
    `SELECT DISTINCT function_name AS name FROM duckdb_functions()
     WHERE function_name IN (${list}) AND stability <> 'CONSISTENT' ORDER BY 1`,
  );
  const [first] = unsteady;
  if (first !== undefined) {
    throw authorError(author, `must give the same answer at every run, but calls ${first.name}`);
  }
}

async function boundType(
  connection: Connection,
  author: AuthorSql,
  { wrapped, columns }: { wrapped: string; columns: readonly SourceColumn[] },
): Promise<string> {
  // The bare column beside it makes an aggregate an error here instead of in the middle of the staging query.
  const beside = columns.map(({ name }) => identifier(name)).slice(0, 1);
  const select = [`${wrapped} AS answer`, ...beside].join(', ');
  try {
    const [answer] = await connection.rows<{ column_type: string }>(
      `DESCRIBE SELECT ${select} FROM ${SHAPE}`,
    );
    return answer?.column_type ?? 'NULL';
  } catch (error) {
    if (error instanceof QueryFailedError) throw authorError(author, `is not valid: ${error.reason}`, error);
    throw error;
  }
}
