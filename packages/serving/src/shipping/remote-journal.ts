import { JournalReader } from '../journal/journal-reader.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import { JournalEnd } from './journal-end.ts';
import type { ThreadSetup } from './messages.ts';
import type { ShippedJournal } from './shipper.ts';

export interface RemoteJournalEvents {
  onRelease: (position: Position) => void;
  /** Called with the number of bytes that were stepped over because they are no whole frame. */
  onDamage: (bytes: number) => void;
}

/** A journal that another thread writes: its files are read here, where it ends lies in shared memory, and the other one deletes what is through. */
export class RemoteJournal implements ShippedJournal {
  readonly folder: string;
  readonly firstSegment: number;
  readonly #oldest: number;
  readonly #end: JournalEnd;
  readonly #events: RemoteJournalEvents;
  readonly #listeners = new Set<() => void>();

  constructor(setup: ThreadSetup, events: RemoteJournalEvents) {
    this.folder = setup.folder;
    this.firstSegment = setup.firstSegment;
    this.#oldest = setup.oldestSegment;
    this.#end = new JournalEnd(setup.end);
    this.#events = events;
  }

  get end(): Position {
    return this.#end.read();
  }

  /** Whoever asks for a flush has waited for the writes before. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  read(from?: Position): JournalReader {
    return new JournalReader({
      folder: this.folder,
      oldest: this.#oldest,
      from,
      end: () => this.end,
      onDamage: this.#events.onDamage,
    });
  }

  grown(beyond: Position, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!signal.aborted && !this.#reaches(beyond)) return;
        this.#listeners.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#listeners.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  /** Whether the end lies behind a position. Where it does not, whoever writes is asked to tell. */
  #reaches(beyond: Position): boolean {
    if (comparePositions(this.end, beyond) > 0) return true;
    this.#end.ask();
    return comparePositions(this.end, beyond) > 0;
  }

  /** The writer has told that there is more. */
  told(): void {
    for (const look of [...this.#listeners]) look();
  }

  async release(position: Position): Promise<void> {
    this.#events.onRelease(position);
  }
}
