/** Least time between two look-ups of the same name. */
const AGAIN_MILLISECONDS = 1_000;
/** Most names that are looked up in that time. */
const MOST_NAMES = 10_000;

/**
 * Looks into the database for models that are not known: each name at most once a second, those that are asked for at the same time in one query, and one query at a
 * time, so that requests for models that do not exist cost the database nothing to speak of.
 */
export class MissLookup {
  readonly #load: (models: readonly string[]) => Promise<void>;
  readonly #recent = new Map<string, Promise<void>>();
  #forgetAt = 0;
  #gathering = new Set<string>();
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param load must not throw */
  constructor(load: (models: readonly string[]) => Promise<void>) {
    this.#load = load;
  }

  look(model: string): Promise<void> {
    const now = performance.now();
    if (now >= this.#forgetAt) {
      this.#recent.clear();
      this.#forgetAt = now + AGAIN_MILLISECONDS;
    }
    const recent = this.#recent.get(model);
    if (recent !== undefined) return recent;
    if (this.#recent.size >= MOST_NAMES) return Promise.resolve();
    const looked = this.#gather(model);
    this.#recent.set(model, looked);
    return looked;
  }

  #gather(model: string): Promise<void> {
    this.#gathering.add(model);
    this.#next ??= this.#last = this.#last.then(() => this.#loadGathered());
    return this.#next;
  }

  #loadGathered(): Promise<void> {
    const models = [...this.#gathering];
    this.#gathering = new Set();
    this.#next = undefined;
    return this.#load(models);
  }
}
