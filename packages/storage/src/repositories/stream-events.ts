import { eq, sql } from 'drizzle-orm';
import type { StreamEvent } from '@perennial/contract';
import type { ConnectionOptions } from '../database/address.ts';
import { ReadSession, type ReadSessionOptions } from '../database/read-session.ts';
import { streamEvents } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** Which events of a stream are wanted. */
export interface StreamWindow {
  stream: string;
  /** The field of the event that says when it happened. */
  time: string;
  /** [from, to) */
  from: Date;
  to: Date;
}

/** How much a stream holds; equal states are equal contents, since a stream only grows. */
export interface StreamState {
  events: number;
  lastEventId: string | null;
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * A stream's events in the order of arrival, batch by batch, from one snapshot. Those left out are certain to lie outside of the window: a time that is text in
 * ISO 8601 is compared by its date, with a day to spare on both sides for its offset. What is left in is for the reader to compare.
 *
 * @throws DatabaseUnavailableError; the signal's reason
 */
export async function* readStreamEvents(
  connection: ConnectionOptions,
  { stream, time, from, to }: StreamWindow,
  options: ReadSessionOptions = {},
): AsyncGenerator<StreamEvent[]> {
  const session = await ReadSession.open(connection, options);
  try {
    const batches = session.rows(
      `select event from stream_events
       where stream = $1 and (event->>$2 is null or event->>$2 !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}'
         or left(event->>$2, 10) collate "C" between $3 and $4)
       order by id`,
      [stream, time, dayOf(from.getTime() - DAY_MILLISECONDS), dayOf(to.getTime() + DAY_MILLISECONDS)],
    );
    for await (const rows of batches) yield rows.map(([event]) => JSON.parse(event ?? '{}') as StreamEvent);
  } finally {
    await session.close();
  }
}

/** How many events a stream holds, and the last of them. */
export async function streamState(db: Executor, stream: string): Promise<StreamState> {
  const [row] = await db
    .select({
      events: sql<number>`count(*)::int`,
      // As text: PostgreSQL has no max() of uuids before version 18.
      lastEventId: sql<string | null>`max(${streamEvents.id}::text)`,
    })
    .from(streamEvents)
    .where(eq(streamEvents.stream, stream));
  return row ?? { events: 0, lastEventId: null };
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
