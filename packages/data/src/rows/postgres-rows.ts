import type { SourceSpec } from '@perennial/contract';
import {
  DatabaseAddressError,
  DatabaseError,
  DatabaseUnavailableError,
  ReadSession,
  connectionOptions,
  type AnswerColumn,
} from '@perennial/storage';
import type { Connection } from '../engine.ts';
import { ConnectionUnavailableError, ConnectionUnknownError, SourceInvalidError } from '../errors.ts';
import type { OpenRows } from '../open-files.ts';
import type { SourceJob } from '../open-source.ts';
import type { SourceColumn } from '../source-relation.ts';
import { identifier, literal } from '../sql.ts';
import type { WindowBounds } from '../window.ts';
import { stageTextRows } from './text-rows.ts';

type PostgresSource = Extract<SourceSpec, { kind: 'postgres' }>;

/** DuckDB's type for each of PostgreSQL's, by its object id; those that are not here are read as text. */
const TYPES: Readonly<Record<number, string>> = {
  16: 'BOOLEAN',
  20: 'BIGINT',
  21: 'SMALLINT',
  23: 'INTEGER',
  26: 'UINTEGER',
  700: 'FLOAT',
  701: 'DOUBLE',
  1700: 'DOUBLE',
  1082: 'DATE',
  1114: 'TIMESTAMP',
  1184: 'TIMESTAMP WITH TIME ZONE',
};

/** Types that PostgreSQL compares with an instant, and how that is written. */
const INSTANTS: Readonly<Record<string, string>> = {
  DATE: 'timestamp',
  TIMESTAMP: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
};

/**
 * Stages the answer of the author's query, of which only the window is asked for where the time's type allows it.
 *
 * @throws ConnectionUnknownError, ConnectionUnavailableError
 * @throws SourceInvalidError when the query fails
 */
export async function stagePostgres(
  connection: Connection,
  source: PostgresSource,
  job: SourceJob,
): Promise<OpenRows> {
  const session = await openSession(source, job);
  try {
    const query = source.query.replace(/[;\s]+$/, '');
    const columns = sourceColumns(await session.columns(query), job.spec.name);
    const window = windowCondition(columns, job.spec.data.time, job.bounds);
    const batches = session.rows(`select * from (${query}\n) as source${window}`);
    return await stageTextRows(connection, { pipeline: job.spec.name, columns, batches });
  } catch (error) {
    throw translated(error, source, job.spec.name);
  } finally {
    await session.close();
  }
}

async function openSession(
  source: PostgresSource,
  { spec, readers, signal }: SourceJob,
): Promise<ReadSession> {
  if (readers.connections === undefined) throw new ConnectionUnknownError(source.connection, []);
  const address = readers.connections(source.connection);
  try {
    return await ReadSession.open(connectionOptions({ url: address }), {
      signal,
      applicationName: `perennial ${spec.name}`,
    });
  } catch (error) {
    throw translated(error, source, spec.name);
  }
}

function translated(error: unknown, { connection }: PostgresSource, pipeline: string): unknown {
  if (error instanceof DatabaseUnavailableError)
    return new ConnectionUnavailableError(connection, { cause: error });
  if (error instanceof DatabaseAddressError) {
    const place = { pipeline, field: 'data.source.connection' };
    return new SourceInvalidError(`the connection '${connection}' is refused`, place, { cause: error });
  }
  if (error instanceof DatabaseError) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    const place = { pipeline, field: 'data.source.query' };
    return new SourceInvalidError(`the query fails: ${reason} (SQLSTATE ${error.sqlState})`, place, {
      cause: error,
    });
  }
  return error;
}

function sourceColumns(answer: readonly AnswerColumn[], pipeline: string): SourceColumn[] {
  const names = answer.map(({ name }) => name.toLowerCase());
  const twice = answer.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice !== undefined) {
    const problem = `the query has two columns '${twice.name}'; give one another name (names differ in more than case)`;
    throw new SourceInvalidError(problem, { pipeline, field: 'data.source.query' });
  }
  return answer.map(({ name, typeId }) => ({ name, type: TYPES[typeId] ?? 'VARCHAR' }));
}

/** Rows without a time are asked for too: they are counted and quarantined. */
function windowCondition(columns: readonly SourceColumn[], time: string, { from, to }: WindowBounds): string {
  const column = columns.find(({ name }) => name === time);
  const type = column && INSTANTS[column.type];
  if (type === undefined) return '';
  const [name, lower, upper] = [identifier(time), literal(from.toISOString()), literal(to.toISOString())];
  return ` where ${name} is null or (${name} >= ${type} ${lower} and ${name} < ${type} ${upper})`;
}
