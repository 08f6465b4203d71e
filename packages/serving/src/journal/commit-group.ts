import type { Durability } from './segment-writer.ts';
import { FrameBuffer } from './frame-buffer.ts';

/** What those who wait for a group want of it: that it is on the disk (all of them, or some), or that it is written. */
export type GroupWants = 'disk' | 'some-disk' | 'write';

/** A promise that others settle. Nobody may wait for it: that is no reason for its failure to end the process. */
class Outcome {
  readonly promise: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined);
  }

  settle(error?: unknown): void {
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }
}

/** Records that will be written by one write, and the promises that those who wait for it share. */
export class CommitGroup extends FrameBuffer {
  /** Of the records, those that may be dropped when there is no room. */
  droppable = 0;
  /** Whether somebody is told only once the group is written. */
  awaited = false;
  readonly #written = new Outcome();
  readonly #synced = new Outcome();
  #wantDisk = false;
  #wantLess = false;

  /** Resolves once the records are with the operating system. */
  get written(): Promise<void> {
    return this.#written.promise;
  }

  /** Resolves once the records are on the disk, where that is wanted of the group. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get wants(): GroupWants {
    if (!this.#wantDisk) return 'write';
    return this.#wantLess ? 'some-disk' : 'disk';
  }

  settleWritten(): void {
    this.#written.settle();
  }

  settleSynced(error?: unknown): void {
    this.#synced.settle(error);
  }

  fail(error: unknown): void {
    this.#written.settle(error);
    this.#synced.settle(error);
  }

  /** Notes what was promised to those whose records were just added. */
  promise(durability: Durability, droppable: number): void {
    if (durability === 'disk') this.#wantDisk = true;
    else this.#wantLess = true;
    if (durability !== 'none') this.awaited = true;
    this.droppable += droppable;
  }
}
