/** Lets one loop sleep until it is told that there is something to do. A call that comes while it is awake is remembered. */
export class WakeSignal {
  #called = false;
  #controller = new AbortController();

  /** Ends the current sleep, or the next one if the loop is awake. */
  call(): void {
    this.#called = true;
    this.#controller.abort();
  }

  /** Sleeps until called, in the way given: it must end when the signal it is handed fires. */
  async sleep(until: (signal: AbortSignal) => Promise<void> = fired): Promise<void> {
    if (!this.#called) await until(this.#controller.signal);
    this.#called = false;
    this.#controller = new AbortController();
  }
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
