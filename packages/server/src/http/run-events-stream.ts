import { parseId, type Run, type StoredRunEvent } from '@perennial/contract';
import type { RunProgress, RunProgressHub } from '@perennial/orchestration';
import { getRun, listRunEvents, type Database } from '@perennial/storage';
import type { SSEStreamingApi } from 'hono/streaming';

/** How often the database is asked for new events while a run is watched; progress needs no asking, and that a step is done is asked after at once. */
const POLL_MILLISECONDS = 250;

export interface RunEventSources {
  database: Database;
  progress: RunProgressHub;
  /** Ends the stream early, without `end`: the server stops, and must not wait for runs that somebody watches. */
  stopping: AbortSignal;
}

/** Sends a run's events from the first, then live ones with progress between, and `end` with the run when it has ended. */
export async function streamRunEvents(
  stream: SSEStreamingApi,
  run: Run['id'],
  { database, progress, stopping }: RunEventSources,
): Promise<void> {
  const send = (event: string, data: unknown) => stream.writeSSE({ event, data: JSON.stringify(data) });
  const pause = new Pause(stream);
  const unsubscribe = progress.subscribe(run, (message: RunProgress) => {
    void send('progress', message);
    if (message.done === 1) pause.end();
  });
  try {
    await sendUntilEnd({ stream, database, run, stopping, pause }, send);
  } finally {
    unsubscribe();
  }
}

/** The time between two questions to the database. */
class Pause {
  readonly #stream: SSEStreamingApi;
  #end: () => void = () => undefined;
  #ended = false;

  constructor(stream: SSEStreamingApi) {
    this.#stream = stream;
  }

  /** Ends this pause, or the next where there is none now. */
  end(): void {
    this.#ended = true;
    this.#end();
  }

  async make(): Promise<void> {
    const early = new Promise<void>((resolve) => (this.#end = resolve));
    if (!this.#ended) await Promise.race([early, this.#stream.sleep(POLL_MILLISECONDS)]);
    this.#ended = false;
  }
}

interface Watched {
  pause: Pause;
  stream: SSEStreamingApi;
  database: Database;
  run: Run['id'];
  stopping: AbortSignal;
}

async function sendUntilEnd(
  { stream, database, run, stopping, pause }: Watched,
  send: (event: string, data: unknown) => Promise<void>,
): Promise<void> {
  const id = parseId('run', run);
  let cursor: string | undefined;
  while (!stream.aborted && !stopping.aborted) {
    const current = await getRun(database.orm, id);
    const page = await listRunEvents(database.orm, id, { limit: 500, cursor });
    for (const event of page.items) await send('event', event);
    cursor = lastCursor(page.items) ?? cursor;
    if (current.endedAt !== null && page.nextCursor === null) {
      await send('end', current);
      return;
    }
    if (page.nextCursor === null) await pause.make();
  }
}

function lastCursor(events: StoredRunEvent[]): string | undefined {
  const last = events.at(-1);
  return last && Buffer.from(String(last.sequence)).toString('base64url');
}
