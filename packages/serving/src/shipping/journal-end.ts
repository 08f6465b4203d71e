import type { Position } from '../journal/position.ts';

/** Cells of the memory, 64 bits each. */
const VERSION = 0;
const SEGMENT = 1;
const OFFSET = 2;
const ASKED = 3;

/**
 * The end of a journal in memory that two threads share: one writes it after every commit, which costs no message, and the other looks when it likes. A version that is odd while the end is
 * being written, and another one afterwards, tells the reader that what it has seen belongs together.
 */
export class JournalEnd {
  readonly #cells: BigInt64Array;

  constructor(readonly memory = new SharedArrayBuffer(4 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.#cells = new BigInt64Array(memory);
  }

  /** To be called by one thread only. */
  write({ segment, offset }: Position): void {
    Atomics.add(this.#cells, VERSION, 1n);
    Atomics.store(this.#cells, SEGMENT, BigInt(segment));
    Atomics.store(this.#cells, OFFSET, BigInt(offset));
    Atomics.add(this.#cells, VERSION, 1n);
  }

  read(): Position {
    for (;;) {
      const version = Atomics.load(this.#cells, VERSION);
      const segment = Atomics.load(this.#cells, SEGMENT);
      const offset = Atomics.load(this.#cells, OFFSET);
      if (version % 2n === 0n && Atomics.load(this.#cells, VERSION) === version)
        return { segment: Number(segment), offset: Number(offset) };
    }
  }

  /** The reader wants to be told of the next write. It must look once more afterwards: a write in between may have seen no question. */
  ask(): void {
    Atomics.store(this.#cells, ASKED, 1n);
  }

  /** Whether the reader wants to be told; then it counts as told. */
  takeQuestion(): boolean {
    return Atomics.load(this.#cells, ASKED) === 1n && Atomics.exchange(this.#cells, ASKED, 0n) === 1n;
  }
}
