const DAY = 86_400_000;

/**
 * The clock on the wall of a time zone. A wall time is written as the instant at which a clock in UTC would show it, so that 02:30 in Chicago is
 * `…T02:30:00Z`; wall times are compared and counted like instants and are none.
 */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError when there is no such zone */
  constructor(timezone: string) {
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    const time = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, ...numeric, ...time });
  }

  /** What the wall shows at an instant, to the second. */
  at(instant: number): number {
    const parts = new Map<string, number>();
    for (const { type, value } of this.#format.formatToParts(instant)) parts.set(type, Number(value));
    const part = (type: string) => parts.get(type) ?? 0;
    return Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
  }

  /** How far the wall is ahead of UTC at an instant, in milliseconds. */
  offset(instant: number): number {
    return this.at(instant) - Math.floor(instant / 1_000) * 1_000;
  }

  /** The instants at which the wall shows a time, in order: none where a change of clocks leaves it out, two where it comes twice. */
  instantsOf(wall: number): number[] {
    const offsets = new Set([this.offset(wall - DAY), this.offset(wall + DAY)]);
    const instants = [...offsets].map((offset) => wall - offset);
    return instants.filter((instant) => this.at(instant) === wall).sort((a, b) => a - b);
  }

  /**
   * When a time that is left out counts as come: as long after the change as it lies within the gap; the last second before the change where that would be
   * another day.
   */
  instantOfLeftOut(wall: number): number {
    const instant = wall - this.offset(wall - DAY);
    if (dayOf(this.at(instant)) === dayOf(wall)) return instant;
    return this.#changeBetween(wall - this.offset(wall + DAY), instant) - 1_000;
  }

  /** The first second of the offset that holds at the end. */
  #changeBetween(start: number, end: number): number {
    const offset = this.offset(end);
    let [before, after] = [start, end];
    while (after - before > 1_000) {
      const middle = before + Math.floor((after - before) / 2_000) * 1_000;
      if (this.offset(middle) === offset) after = middle;
      else before = middle;
    }
    return after;
  }
}

function dayOf(wall: number): number {
  return Math.floor(wall / DAY);
}
