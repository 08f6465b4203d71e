import type { CodedTexts } from '@perennial/onnx';

/** Places of the table; a power of two. */
const SLOTS = 4_096;

/** Places that are looked at for a text: two frequent texts of one place would take turns in it, and each turn makes a string. */
const PROBES = 8;

/** Words of a text in DuckDB's vectors: its length, then its bytes where there are no more than twelve, else a beginning and a pointer. */
const WORDS = 4;
const SHORT_BYTES = 12;

/** Beyond so many different texts they are forgotten from one batch to the next: each costs time in every batch that it is handed over with. */
const MOST_TEXTS = 1_024;

/**
 * Tells the texts of a column by numbers, as an artifact with coded texts takes them. A short text is found by its bytes, without a JavaScript string being made of it: making one costs ten times
 * what finding it does, and categories are few and short.
 */
export class TextCodes {
  readonly #words = new Uint32Array(SLOTS * WORDS);
  readonly #codes = new Int32Array(SLOTS).fill(-1);
  readonly #column: Int32Array;
  #texts: string[] = [];
  /** The code of a missing text; -1 where it has none yet. */
  #empty = -1;

  constructor(capacity: number) {
    this.#column = new Int32Array(capacity);
  }

  /**
   * Reads texts from a vector.
   *
   * @param words - the vector's memory, from the first text to be read on
   * @param isThere - whether a row of them has a value; all have when absent
   * @param textAt - makes the text of a row of them
   */
  read(
    words: Uint32Array,
    { at, count, isThere }: { at: number; count: number; isThere?: (row: number) => boolean },
    textAt: (row: number) => string,
  ): void {
    const column = this.#column;
    for (let row = 0; row < count; row += 1) {
      if (isThere?.(row) === false) {
        column[at + row] = this.#missing();
        continue;
      }
      const start = row * WORDS;
      column[at + row] =
        words[start]! > SHORT_BYTES ? this.#add(textAt(row)) : this.#find(words, row, textAt);
    }
  }

  /** The rows that were read, which are good until the next are. */
  take(rows: number): CodedTexts {
    const taken = { texts: this.#texts, codes: this.#column.subarray(0, rows) };
    if (this.#texts.length > MOST_TEXTS) {
      this.#texts = [];
      this.#codes.fill(-1);
      this.#empty = -1;
    }
    return taken;
  }

  #find(words: Uint32Array, row: number, textAt: (row: number) => string): number {
    const start = row * WORDS;
    const length = words[start]!;
    const first = words[start + 1]!;
    const second = words[start + 2]!;
    const third = words[start + 3]!;
    const mixed =
      Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35) ^ length;
    const known = this.#words;
    const home = (mixed ^ (mixed >>> 16)) & (SLOTS - 1);
    for (let step = 0; step < PROBES; step += 1) {
      const slot = (home + step) & (SLOTS - 1);
      const code = this.#codes[slot]!;
      const place = slot * WORDS;
      if (code === -1) return this.#keep(words, { start, slot }, textAt(row));
      if (
        known[place] === length &&
        known[place + 1] === first &&
        known[place + 2] === second &&
        known[place + 3] === third
      )
        return code;
    }
    return this.#keep(words, { start, slot: home }, textAt(row));
  }

  #keep(words: Uint32Array, { start, slot }: { start: number; slot: number }, text: string): number {
    for (let word = 0; word < WORDS; word += 1) this.#words[slot * WORDS + word] = words[start + word]!;
    return (this.#codes[slot] = this.#add(text));
  }

  #missing(): number {
    return this.#empty === -1 ? (this.#empty = this.#add('')) : this.#empty;
  }

  #add(text: string): number {
    return this.#texts.push(text) - 1;
  }
}
