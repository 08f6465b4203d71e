import { comparePositions, type Position } from '../journal/position.ts';

/** How finely the age of what waits is known. */
const MARK_MILLISECONDS = 1_000;
/** A day of marks is as many as are kept; beyond that every second one is given up. */
const MOST_MARKS = 86_400;

interface Mark {
  /** The end of the journal when the mark was made. */
  end: Position;
  at: number;
}

/** Since when the journal holds what is not shipped. */
export class Backlog {
  readonly #now: () => number;
  #marks: Mark[] = [];

  /** @param now - milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Something was written, or found when the journal was opened: up to this end. */
  written(end: Position): void {
    const at = this.#now();
    const last = this.#marks.at(-1);
    if (last !== undefined && at - last.at < MARK_MILLISECONDS) {
      // What came within a second counts as having come at its beginning.
      last.end = end;
      return;
    }
    this.#marks.push({ end, at });
    if (this.#marks.length > MOST_MARKS) this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
  }

  /** Everything before this position is in the database. */
  shipped(position: Position): void {
    const first = this.#marks.findIndex(({ end }) => comparePositions(end, position) > 0);
    this.#marks.splice(0, first === -1 ? this.#marks.length : first);
  }

  /** Seconds since the oldest of what is not shipped was written, at most a second too many; 0 when nothing waits. */
  get oldestSeconds(): number {
    const [oldest] = this.#marks;
    return oldest === undefined ? 0 : (this.#now() - oldest.at) / 1_000;
  }
}
