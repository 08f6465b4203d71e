/** Of how much less each measurement counts than the one after it: the last hundred or so decide. */
const FORGET = 0.98;
/** Measurements before which nothing is predicted: the first runs of a model are slow, as code and memory are cold. */
const ENOUGH = 8;

/**
 * How long a batch of a model takes, learned from those that were run: a fixed part and a part for each row, by least squares in which older measurements count less and less
 * (recursive least squares with a forgetting factor; Haykin, "Adaptive Filter Theory", chapter on RLS).
 */
export class RunPace {
  #count = 0;
  #weight = 0;
  #rows = 0;
  #time = 0;
  #rowsSquared = 0;
  #product = 0;
  /** Worked out once for all requests between two runs. */
  #perRow: number | undefined;
  #perRun: number | undefined;

  /** Learns from a run of so many rows. */
  observe(rows: number, milliseconds: number): void {
    this.#count++;
    this.#weight = this.#weight * FORGET + 1;
    this.#rows = this.#rows * FORGET + rows;
    this.#time = this.#time * FORGET + milliseconds;
    this.#rowsSquared = this.#rowsSquared * FORGET + rows * rows;
    this.#product = this.#product * FORGET + rows * milliseconds;
    this.#perRow = undefined;
    this.#perRun = undefined;
  }

  /** Milliseconds of one more row; undefined until enough was measured. */
  get perRow(): number | undefined {
    if (this.#count < ENOUGH) return undefined;
    return (this.#perRow ??= this.#slope());
  }

  /** Milliseconds that every run takes, whatever its rows; undefined until enough was measured. */
  get perRun(): number | undefined {
    const { perRow } = this;
    if (perRow === undefined) return undefined;
    return (this.#perRun ??= Math.max(0, (this.#time - perRow * this.#rows) / this.#weight));
  }

  #slope(): number {
    const spread = this.#weight * this.#rowsSquared - this.#rows * this.#rows;
    const mean = this.#time / this.#rows;
    // Batches that were all of one size say nothing of the two parts: then each row is taken for its share of the whole.
    if (spread < 1e-9 * this.#rowsSquared * this.#weight) return mean;
    const slope = (this.#weight * this.#product - this.#rows * this.#time) / spread;
    return Math.min(Math.max(slope, 0), mean);
  }

  /** Milliseconds that rows take in runs of at most so many; 0 until enough was measured. */
  predict(rows: number, runRows: number): number {
    const { perRow = 0, perRun = 0 } = this;
    return Math.ceil(rows / runRows) * perRun + rows * perRow;
  }

  /**
   * Most rows of a run whose rows are to take no longer than so many milliseconds, or than the fixed part where that is more: smaller runs would only pay the fixed part more
   * often, as on a machine that is busy with something else. At least one.
   */
  rowsWithin(milliseconds: number): number {
    const { perRow, perRun = 0 } = this;
    if (perRow === undefined || perRow === 0) return Number.MAX_SAFE_INTEGER;
    return Math.max(1, Math.floor(Math.max(milliseconds, perRun) / perRow));
  }
}
