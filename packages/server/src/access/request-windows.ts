/** One caller's requests since its window began. */
export interface RequestWindow {
  count: number;
  /** By `performance.now()`. */
  endsAt: number;
}

/** Callers beyond which those whose window is over are forgotten. */
const MANY = 10_000;

/** Counts requests of callers in windows that begin with a caller's first request; at once and in memory, as it is done for every request. */
export class RequestWindows {
  readonly #milliseconds: number;
  readonly #windows = new Map<string, RequestWindow>();

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** Counts one more; answers the window as it is then, which the next call may change. */
  add(caller: string): RequestWindow {
    const now = performance.now();
    const window = this.#windows.get(caller);
    if (window !== undefined && now < window.endsAt) {
      window.count++;
      return window;
    }
    if (this.#windows.size >= MANY) this.#forgetEnded(now);
    const opened = { count: 1, endsAt: now + this.#milliseconds };
    this.#windows.set(caller, opened);
    return opened;
  }

  #forgetEnded(now: number): void {
    for (const [caller, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(caller);
  }
}
