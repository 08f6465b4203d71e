/** Resolves in the next turn of the event loop, after what waits in this one has been seen to. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Does work one piece at a time, first come, first served, with a turn of the event loop between two: for work that blocks the thread. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(nextTurn, nextTurn);
    return result;
  }
}
