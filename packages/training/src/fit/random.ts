/**
 * A seeded stream of random numbers: xoshiro128**, its state filled by splitmix32. The same on every machine and in every release of Node.
 *
 * @see Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021, https://prng.di.unimi.it/xoshiro128starstar.c
 */
export class RandomStream {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.from(splitMix(seed, 4));
  }

  /** A whole number in [0, 2³²). */
  uint32(): number {
    const state = this.#state;
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ state[2];
    state[0] = a ^ state[3];
    state[2] ^= b << 9;
    state[3] = rotated(state[3], 11);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, limit). Its bias is at most limit / 2³², which for a table's rows is nothing. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** Brings numbers into random order, in place (Fisher and Yates, by Durstenfeld's algorithm 235). */
  shuffle(numbers: Uint32Array): void {
    for (let i = numbers.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = numbers[i]!;
      numbers[i] = numbers[j]!;
      numbers[j] = moved;
    }
  }
}

function rotated(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function splitMix(seed: number, count: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  });
}

/**
 * Makes `Math.random` a seeded stream for the rest of this process. TensorFlow.js seeds from it whatever was not given a seed: dropout's masks
 * and the initialisers of a custom network; without this, two trainings of the same data would differ. Only for a process that trains.
 */
export function seedProcess(seed: number): void {
  const stream = new RandomStream(seed);
  Math.random = () => stream.float();
}
