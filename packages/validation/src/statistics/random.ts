import { createHash } from 'node:crypto';

/** Steps thrown away after seeding, so that seeds that differ in one bit have parted (as the generator's author advises). */
const WARM_UP_STEPS = 16;

/**
 * A stream of random numbers that follows from its seed alone, on every machine: `sfc32` of Chris Doty-Humphrey's PractRand (128 bits
 * of state, period at least 2^32). The seed is the sha-256 of the texts, joined so that no two lists make the same seed.
 */
export class RandomStream {
  readonly #state = new Uint32Array(4);
  readonly #word = new Uint32Array(1);

  constructor(seed: readonly string[]) {
    const hash = createHash('sha256').update(JSON.stringify(seed)).digest();
    for (let word = 0; word < 3; word++) this.#state[word] = hash.readUInt32LE(word * 4);
    this.#state[3] = 1;
    for (let step = 0; step < WARM_UP_STEPS; step++) this.nextUint32();
  }

  /** A whole number in [0, 2^32). */
  nextUint32(): number {
    this.fill(this.#word);
    return this.#word[0]!;
  }

  /** A number in [0, 1) with 32 random bits. */
  nextFraction(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** A standard normal number (Box & Muller, "A note on the generation of random normal deviates", 1958). */
  nextNormal(): number {
    // The 1 − u keeps the logarithm off 0.
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextFraction()));
    return radius * Math.cos(2 * Math.PI * this.nextFraction());
  }

  /** Fills an array with whole numbers in [0, 2^32). */
  fill(target: Uint32Array): void {
    const state = this.#state;
    // The state lives in local integers within the loop: read from the array at every step it costs three times as much.
    let a = (state[0] ?? 0) | 0;
    let b = (state[1] ?? 0) | 0;
    let c = (state[2] ?? 0) | 0;
    let counter = (state[3] ?? 0) | 0;
    for (let i = 0; i < target.length; i++) {
      const sum = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      target[i] = sum;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = counter;
  }
}
