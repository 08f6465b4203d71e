import type { RandomStream } from './random.ts';

/** Random bits one count is drawn from. Two counts per 32-bit number; probabilities are right to 2^-17. */
const BITS = 16;
/** Random numbers drawn at a time: 16 KB, so that they stay in the first cache beside the table. */
const BLOCK = 4_096;

/** Inverse of Poisson(1)'s distribution function at 16 bits: 0 for the first 36.8 % of the entries, 1 for as many, and so on up to 8. */
const COUNT_OF_BITS = poissonTable();

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

function poissonTable(): Uint8Array {
  const size = 2 ** BITS;
  const table = new Uint8Array(size);
  let probability = Math.exp(-1);
  let cumulative = 0;
  let filled = 0;
  for (let count = 0; filled < size; count++) {
    cumulative += probability;
    probability /= count + 1;
    const end = Math.min(size, Math.round(cumulative * size));
    // Beyond 8 the remaining probability is below half an entry: what is left of the table goes to the last count.
    const last = end === filled;
    table.fill(last ? count - 1 : count, filled, last ? size : end);
    filled = last ? size : end;
  }
  return table;
}
