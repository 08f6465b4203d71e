/** Lets so many pieces of work go on at a time; the others wait in line, the urgent ones at its front. */
export class Slots {
  #free: number;
  readonly #urgent: (() => void)[] = [];
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>, { urgent = false }: { urgent?: boolean } = {}): Promise<T> {
    await this.#take(urgent);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  #take(urgent: boolean): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => (urgent ? this.#urgent : this.#line).push(resolve));
  }

  /** A slot that is given back goes to the next in line without being free in between. */
  #give(): void {
    const next = this.#urgent.shift() ?? this.#line.shift();
    if (next) next();
    else this.#free++;
  }
}
