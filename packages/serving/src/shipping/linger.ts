/** Rows of a batch beyond which more of them cost no less each: 100 rows cost the database 40 µs each, 300 cost 34, 1,000 and more 28. */
const COMPANY = 1_000;
/** Rows of a batch below which nobody is busy, and nobody is to wait. */
const QUIET = 50;

/** How long records wait for others to be shipped with them: as long as it takes to be about a thousand, within limits. */
export class Linger {
  #milliseconds: number;

  constructor(
    readonly shortest: number,
    readonly longest: number,
  ) {
    this.#milliseconds = shortest;
  }

  /** Milliseconds to wait now. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** So many rows were there after the last wait. */
  found(rows: number): void {
    const wanted = rows < QUIET ? 0 : this.#milliseconds * (COMPANY / rows);
    this.#milliseconds = Math.max(this.shortest, Math.min(this.longest, wanted));
  }
}
