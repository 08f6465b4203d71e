import type { Clock, IdGenerator, StreamEvent } from '@perennial/contract';
import { appendStreamEvents, transaction, type Database } from '@perennial/storage';

/** Takes the events of streams. Whether they start a run is the scheduler's to see. */
export class StreamService {
  readonly #dependencies: { database: Database; clock: Clock; ids: IdGenerator };

  constructor(dependencies: { database: Database; clock: Clock; ids: IdGenerator }) {
    this.#dependencies = dependencies;
  }

  /** Keeps events, all or none; the stream begins to be with its first. @returns how many were kept */
  async post(stream: string, events: StreamEvent[]): Promise<{ stream: string; accepted: number }> {
    const { database, clock, ids } = this.#dependencies;
    await transaction(database, (tx) =>
      appendStreamEvents(tx, { stream, events, at: clock.now(), nextId: () => ids.next() }),
    );
    return { stream, accepted: events.length };
  }
}
