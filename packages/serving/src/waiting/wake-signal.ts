/** Lets one loop sleep until it is told that there is something to do. A call that comes while it is awake is remembered. */
export class WakeSignal {
  #called = false;
  /** Of the sleep under way. A call of a loop that is awake must cost nothing: an `abort` makes an error with its stack, 2 µs, for every group of the journal. */
  #sleeping: AbortController | null = null;

  /** Ends the current sleep, or the next one if the loop is awake. */
  call(): void {
    this.#called = true;
    const sleeping = this.#sleeping;
    this.#sleeping = null;
    sleeping?.abort();
  }

  /** Sleeps until called, in the way given: it must end when the signal it is handed fires. */
  async sleep(until: (signal: AbortSignal) => Promise<void> = fired): Promise<void> {
    if (!this.#called) {
      this.#sleeping = new AbortController();
      await until(this.#sleeping.signal);
    }
    this.#sleeping = null;
    this.#called = false;
  }
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
