import { nextTurn } from '../waiting/turns.ts';

const ENTRIES_A_TURN = 10_000;

/** A map that holds so many bytes at most: what was used longest ago makes room. */
export class ByteBoundedMap<Value> {
  readonly #entries = new Map<string, { value: Value; bytes: number }>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** As the callers said; the map's own overhead is theirs to add. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** What alone is larger than the whole is not kept. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key);
    if (bytes > this.#maxBytes) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  /**
   * Deletes what is there now and unwanted, ten thousand entries for each turn of the event loop: half a million at once would hold up everybody for a tenth of a second.
   */
  async deleteWhere(unwanted: (key: string) => boolean): Promise<void> {
    let left = this.#entries.size;
    for (const key of this.#entries.keys()) {
      if (unwanted(key)) this.delete(key);
      left--;
      if (left === 0) return;
      if (left % ENTRIES_A_TURN === 0) await nextTurn();
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
