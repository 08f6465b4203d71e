import { JournalWriteError } from '../errors.ts';

/** Someone who waits for what is written to be on the disk. */
export interface SyncWaiter {
  settle(error?: unknown): void;
}

export interface SyncQueueOptions {
  /** Brings everything written so far to the disk. */
  sync: () => Promise<void>;
  /** Called with the number of those who wait in vain. */
  onFailure: (waiters: number) => void;
}

/** Brings what is written to the disk while more is being written: whoever comes during a sync shares the next one. */
export class SyncQueue {
  readonly #options: SyncQueueOptions;
  #waiting: SyncWaiter[] = [];
  #idle = true;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SyncQueueOptions) {
    this.#options = options;
  }

  /** To be called once the waiter's bytes are written, in the same turn. */
  add(waiter: SyncWaiter): void {
    this.#waiting.push(waiter);
    if (!this.#idle) return;
    this.#idle = false;
    this.#running = this.#run();
  }

  /** Resolves when nobody waits any more. */
  settled(): Promise<void> {
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const sharing = this.#waiting;
      this.#waiting = [];
      try {
        await this.#options.sync();
        for (const waiter of sharing) waiter.settle();
      } catch (error) {
        // Also those who came meanwhile: after a failed sync the next one of the same file may call a success what is lost.
        this.#failAll([...sharing, ...this.#waiting.splice(0)], error);
      }
    }
    this.#idle = true;
  }

  #failAll(waiters: readonly SyncWaiter[], cause: unknown): void {
    this.#options.onFailure(waiters.length);
    for (const waiter of waiters) waiter.settle(new JournalWriteError({ cause }));
  }
}
