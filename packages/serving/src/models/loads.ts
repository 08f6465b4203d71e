import { ColdStartLateError, OverloadedError } from '../errors.ts';
import { systemDelay, type Delay } from '../waiting/delay.ts';
import { Slots } from '../waiting/slots.ts';

export interface LoadsOptions {
  /** Loads that go on at the same time; the others wait in line. @default 4 */
  parallelLoads?: number;
  /** Most requests that wait for models to be loaded, before further ones are refused. @default 1000 */
  coldRequests?: number;
  /** Longest that a request waits, in milliseconds. @default 5000 */
  coldMilliseconds?: number;
  /** @default the machine's timer */
  delay?: Delay;
}

/** What is to be loaded: a model's champion, or a version of it by its number. */
export interface LoadTarget {
  model: string;
  version: number | null;
}

/** Why something is loaded: a request waits for it, a champion has moved, or there is time and memory for it now. */
export type LoadCause = 'request' | 'swap' | 'beforehand';

/** What the work of a load can ask meanwhile. */
export interface LoadProgress {
  /** @throws ColdStartLateError when every request that waited for it has given up */
  check(): void;
  /** Whether a request waits for it. */
  isAskedFor(): boolean;
}

interface Load {
  target: LoadTarget;
  done: Promise<void>;
  requests: number;
  /** Wanted also without a request. */
  background: boolean;
}

/**
 * What is being loaded: each thing once at a time, and only so many at once. The requests that wait for one are held and not failed, but only so many
 * and only so long.
 */
export class Loads {
  readonly #parallel: Slots;
  readonly #limit: number;
  readonly #milliseconds: number;
  readonly #delay: Delay;
  readonly #loads = new Map<string, Load>();
  #waiting = 0;
  /** Called when a request gives up. */
  readonly #onGivenUp: () => void;
  /** Requests that had to wait, and those that were refused. */
  readonly counters = { held: 0, refused: 0 };

  constructor(options: LoadsOptions, onGivenUp: () => void) {
    this.#parallel = new Slots(options.parallelLoads ?? 4);
    this.#limit = options.coldRequests ?? 1_000;
    this.#milliseconds = options.coldMilliseconds ?? 5_000;
    this.#delay = options.delay ?? systemDelay;
    this.#onGivenUp = onGivenUp;
  }

  /** Requests that wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What is being loaded, or waits for that. */
  list(): LoadTarget[] {
    return Array.from(this.#loads.values(), ({ target }) => target);
  }

  /**
   * Waits for a load, which is begun when it is not under way; `work` is done once at a time for each target.
   * @throws OverloadedError when too many requests wait, ColdStartLateError when it takes too long, and what the work throws
   */
  async forRequest(target: LoadTarget, work: LoadWork): Promise<void> {
    if (this.#waiting >= this.#limit) {
      this.counters.refused++;
      throw new OverloadedError('models to be loaded', this.#limit, 'requests');
    }
    this.counters.held++;
    this.#waiting++;
    const load = this.#join(target, work, 'request');
    load.requests++;
    const over = new AbortController();
    try {
      await Promise.race([load.done, this.#deadline(target.model, over.signal)]);
    } finally {
      over.abort();
      this.#waiting--;
      load.requests--;
    }
  }

  /** Waits for a load that no request has asked for. @throws what the work throws */
  inBackground(target: LoadTarget, work: LoadWork, cause: Exclude<LoadCause, 'request'>): Promise<void> {
    const load = this.#join(target, work, cause);
    load.background = true;
    return load.done;
  }

  /** Resolves when nothing is being loaded any more. */
  async settled(): Promise<void> {
    while (this.#loads.size > 0)
      await Promise.allSettled(Array.from(this.#loads.values(), ({ done }) => done));
  }

  #join(target: LoadTarget, work: LoadWork, cause: LoadCause): Load {
    const name = target.version === null ? target.model : `${target.model}@${target.version}`;
    const known = this.#loads.get(name);
    if (known !== undefined) return known;
    const load: Load = { target, requests: 0, background: false, done: Promise.resolve() };
    const progress = {
      check: () => this.#checkWanted(load),
      isAskedFor: () => load.requests > 0,
    };
    // A swap goes first: it is what a promotion waits for, and there is one for each loaded model at most.
    const urgent = cause === 'swap';
    load.done = this.#parallel.run(() => work(progress), { urgent }).finally(() => this.#loads.delete(name));
    // Where all have given up, nobody hears of it.
    load.done.catch(() => undefined);
    this.#loads.set(name, load);
    return load;
  }

  #checkWanted({ target, requests, background }: Load): void {
    if (requests === 0 && !background) throw new ColdStartLateError(target.model, this.#milliseconds);
  }

  async #deadline(model: string, over: AbortSignal): Promise<void> {
    await this.#delay(this.#milliseconds, over);
    if (over.aborted) return;
    this.counters.refused++;
    // After this request has left.
    setImmediate(this.#onGivenUp);
    throw new ColdStartLateError(model, this.#milliseconds);
  }
}

export type LoadWork = (progress: LoadProgress) => Promise<void>;
