/**
 * Numbers for class names in the order they are first met. One index serves every model of a comparison and the labels, so that models
 * with different classes, and labels that no model knows, are counted on the same scale.
 */
export class ClassIndex {
  readonly #numbers = new Map<string, number>();

  /** @param first classes that take the first numbers: those of the label, so that they are listed in its order */
  constructor(first: readonly string[] = []) {
    for (const name of first) this.numberOf(name);
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** The classes by their numbers. */
  get names(): string[] {
    return [...this.#numbers.keys()];
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
