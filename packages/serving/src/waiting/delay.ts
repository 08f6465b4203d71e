/** Waits for some milliseconds, or less when the signal fires. Injected, so that no test waits for time to pass. */
export type Delay = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** The machine's own timer; it does not keep the process alive. */
export const systemDelay: Delay = (milliseconds, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    timer.unref();
    signal.addEventListener('abort', finish);
  });

/** How long to wait before trying again what keeps failing: twice as long each time, within limits. */
export class Backoff {
  #next: number;

  constructor(
    readonly smallest: number,
    readonly largest: number,
  ) {
    this.#next = smallest;
  }

  /** Milliseconds to wait now. */
  take(): number {
    const wait = this.#next;
    this.#next = Math.min(wait * 2, this.largest);
    return wait;
  }

  /** The last try succeeded. */
  reset(): void {
    this.#next = this.smallest;
  }
}
