/** Finds the rows of some keys of one group (a model, a precomputation); those without one are left out. */
export type FindRows<Row extends { key: string }> = (
  group: string,
  keys: readonly string[],
) => Promise<Row[]>;

/** Keys of one question to the database at most. */
const MAX_KEYS = 5_000;

interface Asked<Row> {
  keys: Set<string>;
  answer: Promise<Map<string, Row>>;
}

/**
 * Asks for the keys of all who ask within one turn of the event loop at once: a thousand requests for one key each are one statement, and whoever asks alone waits for nobody.
 */
export class KeyGatherer<Row extends { key: string }> {
  readonly #find: FindRows<Row>;
  readonly #asked = new Map<string, Asked<Row>>();
  readonly counters = { questions: 0, keys: 0 };

  constructor(find: FindRows<Row>) {
    this.#find = find;
  }

  /** The rows by key, perhaps with those of others who asked. @throws what finding throws */
  ask(group: string, keys: readonly string[]): Promise<Map<string, Row>> {
    let asked = this.#asked.get(group);
    if (asked === undefined || asked.keys.size + keys.length > MAX_KEYS) {
      const wanted = new Set<string>();
      asked = { keys: wanted, answer: this.#answer(group, wanted) };
      this.#asked.set(group, asked);
    }
    for (const key of keys) asked.keys.add(key);
    return asked.answer;
  }

  async #answer(group: string, keys: Set<string>): Promise<Map<string, Row>> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#asked.get(group)?.keys === keys) this.#asked.delete(group);
    this.counters.questions++;
    this.counters.keys += keys.size;
    const rows = await this.#find(group, [...keys]);
    return new Map(rows.map((row) => [row.key, row]));
  }
}
