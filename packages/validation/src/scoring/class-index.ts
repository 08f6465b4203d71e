/**
 * Numbers for class names in the order they are first met. One index serves every model of a comparison and the labels, so that models
 * with different classes, and labels that no model knows, are counted on the same scale.
 */
export class ClassIndex {
  readonly #numbers = new Map<string, number>();

  get size(): number {
    return this.#numbers.size;
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
