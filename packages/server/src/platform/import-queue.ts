import { TooManyImportsError } from '../errors.ts';

/** Files that may wait, each of which is held in memory. */
const WAITING = 3;

/** Files are tried one after the other: each may take two gigabytes of memory and a core for a minute. */
export class ImportQueue {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws TooManyImportsError when several wait already */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting > WAITING) throw new TooManyImportsError(WAITING);
    this.#waiting += 1;
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    // The next one's turn comes however this one ends.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
