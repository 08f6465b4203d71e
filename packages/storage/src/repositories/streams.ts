import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Page, PageQuery, Stream, StreamEvent } from '@perennial/contract';
import { streamCursors, streamEvents, streams } from '../database/schema.ts';
import { NAME_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

/** Below every id that there is. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Rows a statement carries: three parameters each, of the 65,535 that PostgreSQL allows. */
const ROWS_PER_STATEMENT = 5_000;

export interface StreamPost {
  stream: string;
  events: StreamEvent[];
  at: Date;
  /** Makes ids that grow. */
  nextId: () => string;
}

/**
 * Adds events to a stream, which begins to be with its first one. Call in a transaction: posts to one stream wait for each other, so that no event comes
 * to light behind a cursor that has moved past its id.
 */
export async function appendStreamEvents(
  tx: Executor,
  { stream, events, at, nextId }: StreamPost,
): Promise<void> {
  await tx.insert(streams).values({ name: stream, createdAt: at }).onConflictDoNothing();
  await lockStream(tx, stream);
  for (let start = 0; start < events.length; start += ROWS_PER_STATEMENT) {
    const rows = events.slice(start, start + ROWS_PER_STATEMENT);
    await tx
      .insert(streamEvents)
      .values(rows.map((event) => ({ id: nextId(), stream, event, receivedAt: at })));
  }
}

/** Holds back posts to the stream until the transaction ends. */
export async function lockStream(tx: Executor, stream: string): Promise<void> {
  await tx.select({ name: streams.name }).from(streams).where(eq(streams.name, stream)).for('update');
}

export interface StreamReader {
  pipeline: string;
  stream: string;
}

/** What has gathered in a stream since a pipeline last took from it. */
export interface StreamBacklog {
  events: number;
  oldestAt: Date;
  lastEventId: string;
}

/** @returns undefined when nothing has gathered */
export async function streamBacklog(
  db: Executor,
  { pipeline, stream }: StreamReader,
): Promise<StreamBacklog | undefined> {
  const [cursor] = await db
    .select()
    .from(streamCursors)
    .where(and(eq(streamCursors.pipeline, pipeline), eq(streamCursors.stream, stream)));
  const [row] = await db
    .select({
      events: sql<number>`count(*)::int`,
      oldestAt: sql<Date | null>`min(${streamEvents.receivedAt})`.mapWith(streamEvents.receivedAt),
      // As text: PostgreSQL has no max() of uuids before version 18.
      lastEventId: sql<string | null>`max(${streamEvents.id}::text)`,
    })
    .from(streamEvents)
    .where(and(eq(streamEvents.stream, stream), gt(streamEvents.id, cursor?.lastEventId ?? BEFORE_ALL)));
  if (row === undefined || row.oldestAt === null || row.lastEventId === null) return undefined;
  return { events: row.events, oldestAt: row.oldestAt, lastEventId: row.lastEventId };
}

/** The pipeline has taken the events up to this one. */
export async function moveStreamCursor(
  tx: Executor,
  { pipeline, stream }: StreamReader,
  lastEventId: string,
): Promise<void> {
  await tx
    .insert(streamCursors)
    .values({ pipeline, stream, lastEventId })
    .onConflictDoUpdate({
      target: [streamCursors.pipeline, streamCursors.stream],
      set: { lastEventId },
    });
}

/** Streams by name. */
export async function listStreams(db: Executor, query: PageQuery): Promise<Page<Stream>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const taken = sql`(select max(${streamCursors.lastEventId}::text)::uuid from ${streamCursors}
    where ${streamCursors.stream} = ${streams.name})`;
  const rows = await db
    .select({
      name: streams.name,
      events: sql<number>`count(${streamEvents.id})::int`,
      gathered: sql<number>`(count(${streamEvents.id})
        filter (where ${streamEvents.id} > coalesce(${taken}, ${BEFORE_ALL}::uuid)))::int`,
      lastEventAt: sql<Date | null>`max(${streamEvents.receivedAt})`.mapWith(streamEvents.receivedAt),
    })
    .from(streams)
    .leftJoin(streamEvents, eq(streamEvents.stream, streams.name))
    .where(after === undefined ? undefined : gt(streams.name, after))
    .groupBy(streams.name)
    .orderBy(asc(streams.name))
    .limit(query.limit + 1);
  return pageOf(rows, query, {
    item: (row) => ({ ...row, lastEventAt: row.lastEventAt?.toISOString() ?? null }),
    key: (row) => row.name,
  });
}
