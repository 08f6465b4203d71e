import type { RandomStream } from './random.ts';

/** Random bits one count is drawn from. Two counts per 32-bit number; probabilities are right to 2^-17. */
const BITS = 16;
const ENTRIES = 2 ** BITS;
/** Random numbers drawn at a time: 16 KB, so that they stay in the first cache beside the table. */
const BLOCK = 4_096;

/** Largest mean of {@link poissonTable}: 2^16 is still some thirty standard deviations above it. */
export const LARGEST_TABLE_MEAN = 2 ** 15 * 1.75;

/**
 * Inverse of the Poisson distribution function at 16 bits, so that a uniformly random 16-bit number picks a count: of mean 1 the first
 * 36.8 % of the entries are 0, as many 1, and so on up to 8. What lies beyond the 2^-17 on either side is cut off, which takes
 * 4 parts in 10^5 off the variance.
 *
 * @param mean above 0, at most {@link LARGEST_TABLE_MEAN}
 */
export function poissonTable(mean: number): Uint16Array {
  const table = new Uint16Array(ENTRIES);
  const first = Math.max(0, Math.floor(mean - 9 * Math.sqrt(mean) - 9));
  const weights = poissonWeights(mean, first);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let cumulative = 0;
  let filled = 0;
  weights.forEach((weight, index) => {
    cumulative += weight / sum;
    const end = Math.min(ENTRIES, Math.round(cumulative * ENTRIES));
    table.fill(first + index, filled, end);
    filled = Math.max(filled, end);
  });
  return table;
}

/** Probabilities of the counts from `first` to far above the mean, up to a common factor that keeps them from vanishing. */
function poissonWeights(mean: number, first: number): number[] {
  const last = Math.ceil(mean + 9 * Math.sqrt(mean) + 9);
  const logarithms = [0];
  for (let count = first + 1; count <= last; count++)
    logarithms.push(logarithms.at(-1)! + Math.log(mean / count));
  const largest = logarithms.reduce((most, value) => Math.max(most, value), 0);
  return logarithms.map((value) => Math.exp(value - largest));
}

const COUNT_OF_BITS = Uint8Array.from(poissonTable(1));

/**
 * How often each row stands in one bootstrap resample: independent Poisson(1) counts instead of n draws with replacement. The two
 * agree for any ratio of sums as n grows (Hanley & MacGibbon, "Creating non-parametric bootstrap samples using Poisson frequencies",
 * 2006; Chamandy et al., "Estimating uncertainty for massive data streams", 2012), and counts are written in order, where draws
 * scatter over memory.
 */
export class PoissonCounts {
  readonly #random: RandomStream;
  readonly #block = new Uint32Array(BLOCK);

  constructor(random: RandomStream) {
    this.#random = random;
  }

  /** Overwrites every count. */
  fill(counts: Uint8Array): void {
    for (let start = 0; start < counts.length; start += 2 * BLOCK) {
      const target = counts.subarray(start, start + 2 * BLOCK);
      const words = this.#block.subarray(0, Math.ceil(target.length / 2));
      this.#random.fill(words);
      unpack(words, target);
    }
  }
}

function unpack(words: Uint32Array, counts: Uint8Array): void {
  const table = COUNT_OF_BITS;
  const pairs = counts.length >> 1;
  for (let i = 0; i < pairs; i++) {
    const word = words[i]!;
    counts[2 * i] = table[word & 0xffff]!;
    counts[2 * i + 1] = table[word >>> BITS]!;
  }
  if (counts.length % 2 === 1) counts[counts.length - 1] = table[words[pairs]! & 0xffff]!;
}
