/** How long something took each time, in milliseconds. */
export class Timings {
  readonly #milliseconds: number[] = [];

  add(milliseconds: number): void {
    this.#milliseconds.push(milliseconds);
  }

  get count(): number {
    return this.#milliseconds.length;
  }

  /** By nearest rank; NaN of nothing. */
  quantile(share: number): number {
    const sorted = this.#milliseconds.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  }
}

/** The same thing timed with the candidate and with the champion, in turns, so that what else the machine does falls on both. */
export interface PairedTimings {
  /** What it is: `a request of one row`. */
  what: string;
  candidate: Timings;
  champion: Timings;
}
