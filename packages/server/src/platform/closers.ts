import type { Logger } from './logger.ts';

/** What has been opened, to be closed in the opposite order; one that fails to close does not keep the others open. */
export class Closers {
  readonly #logger: Logger;
  readonly #closers: { name: string; close: () => Promise<void> }[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#closers.push({ name, close });
  }

  async closeAll(): Promise<void> {
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (error) {
        this.#logger.error({ err: error, part: closer.name }, 'could not be closed');
      }
    }
  }
}
