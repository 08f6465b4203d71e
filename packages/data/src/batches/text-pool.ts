/** How many short texts are remembered; a power of two. */
const SLOTS = 4_096;

/** Words of a text in DuckDB's vectors: its length, then its bytes where there are no more than twelve, else a pointer. */
const WORDS = 4;
const SHORT_BYTES = 12;

/**
 * Gives the same JavaScript string for the same short text, by its bytes: making a string costs ten times what finding one does, and categories are few and short.
 */
export class TextPool {
  readonly #words = new Uint32Array(SLOTS * WORDS);
  readonly #texts = new Array<string | undefined>(SLOTS);

  /**
   * Reads texts from a vector.
   *
   * @param words - the vector's memory, from the first text to be read on
   * @param textAt - makes the text of a row anew
   */
  read(
    words: Uint32Array,
    to: { column: string[]; at: number; count: number },
    textAt: (row: number) => string,
  ): void {
    const { column, at, count } = to;
    for (let row = 0; row < count; row += 1) {
      const start = row * WORDS;
      const length = words[start]!;
      column[at + row] = length > SHORT_BYTES ? textAt(row) : this.#find(words, start, () => textAt(row));
    }
  }

  #find(words: Uint32Array, start: number, make: () => string): string {
    const length = words[start]!;
    const first = words[start + 1]!;
    const second = words[start + 2]!;
    const third = words[start + 3]!;
    const mixed =
      Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35) ^ length;
    const slot = (mixed >>> 20) & (SLOTS - 1);
    const known = this.#words;
    const place = slot * WORDS;
    const text = this.#texts[slot];
    if (
      text !== undefined &&
      known[place] === length &&
      known[place + 1] === first &&
      known[place + 2] === second &&
      known[place + 3] === third
    )
      return text;
    const made = make();
    known.set(words.subarray(start, start + WORDS), place);
    this.#texts[slot] = made;
    return made;
  }
}
