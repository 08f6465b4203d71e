/** Upper bounds of the buckets, in seconds: from a write into memory to a disk that hangs. */
const BOUNDS = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** How long something took, counted in buckets. */
export class LatencyHistogram {
  readonly bounds: readonly number[] = BOUNDS;
  /** How many fell into each bucket and into none of those before it; one more than there are bounds. */
  readonly counts: number[] = new Array<number>(BOUNDS.length + 1).fill(0);
  /** Seconds, of all. */
  sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += seconds;
  }
}
