import type { ServedModel } from './served-model.ts';

export interface ResidentsOptions {
  /** Most memory that loaded models take together, in bytes. */
  memoryBytes: number;
  /** Takes a model out of service, so that no new request is given to it, and frees it. */
  evict: (served: ServedModel) => Promise<void>;
}

/** How memory is asked for. */
export interface RoomRequest {
  bytes: number;
  /**
   * Where there is none: by evicting and waiting; by evicting, and at once all the same, as only a new champion may whose old version answers until it can;
   * or not at all.
   */
  room: 'wait' | 'at-once' | 'free-only';
  /** Asked when it has had to wait; throws when nobody wants it any more. */
  check: () => void;
}

/**
 * The loaded models, in the order of their last use, and the memory they take. Room for another is made by letting go of those that have not been used for
 * longest; never of one that a request holds.
 */
export class Residents {
  readonly #options: ResidentsOptions;
  /** Least recently used first. */
  readonly #order = new Set<ServedModel>();
  #newest: ServedModel | undefined;
  #bytes = 0;
  #changed: (() => void)[] = [];
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: ResidentsOptions) {
    this.#options = options;
  }

  /** Memory taken by what is loaded, being loaded and not yet freed, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#order.size;
  }

  /** Least recently used first. */
  list(): ServedModel[] {
    return [...this.#order];
  }

  fits(bytes: number): boolean {
    return this.#bytes + bytes <= this.#options.memoryBytes;
  }

  /** Notes that a model is being used now. */
  touch(served: ServedModel): void {
    // Most requests are for the model that the one before asked for: for them it is one comparison.
    if (this.#newest === served) return;
    this.#order.delete(served);
    this.#order.add(served);
    this.#newest = served;
  }

  /** From now on it may be evicted. Its memory must have been taken before. */
  add(served: ServedModel): void {
    this.#order.add(served);
    this.#newest = served;
  }

  /** From now on it is not in the order any more; its memory is given back once that is free. */
  remove(served: ServedModel): void {
    this.#order.delete(served);
    if (this.#newest === served) this.#newest = undefined;
  }

  /**
   * Takes memory, once there is room: a model that alone is larger than the budget has it when nothing else is loaded.
   * @returns whether it was taken
   * @throws what `check` throws
   */
  async take(request: RoomRequest): Promise<boolean> {
    if (request.room === 'at-once') return this.#make(request);
    if (request.room === 'free-only' && !this.fits(request.bytes)) return false;
    // In line: or a large model would wait for ever, while small ones go past it.
    const turn = this.#line.then(() => this.#make(request));
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  /** Takes or gives back the difference where an estimate has been put right, without asking. */
  adjust(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0) this.wake();
  }

  /** To be called when a model is not held any more, or a load not wanted: whoever waits for room looks again. */
  wake(): void {
    const waiting = this.#changed;
    if (waiting.length === 0) return;
    this.#changed = [];
    for (const resume of waiting) resume();
  }

  async #make({ bytes, room, check }: RoomRequest): Promise<boolean> {
    while (!this.fits(bytes) && this.#bytes > 0) {
      // Before it waits: whoever gave up until now wakes nobody any more.
      check();
      const idle = this.#leastRecentlyUsed();
      if (idle) await this.#options.evict(idle);
      else if (room === 'at-once') break;
      else await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    this.#bytes += bytes;
    return true;
  }

  #leastRecentlyUsed(): ServedModel | undefined {
    for (const served of this.#order) if (served.users === 0) return served;
    return undefined;
  }
}
