import { CronExpressionParser, type CronExpression } from 'cron-parser';
import type { ScheduleSpec } from '@perennial/contract';
import { WallClock } from './wall-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How far back due times are looked for, nearest first: a schedule of seconds is not walked through years. */
const LOOK_BACK = [HOUR, DAY, 32 * DAY, 400 * DAY];

/**
 * The due times of a schedule.
 *
 * A schedule that names hours is due once for each time on the wall: a time that a change of clocks leaves out is due as long after the change as it would
 * have been (02:30 becomes 03:30), one that comes twice is due the first time. A schedule of every hour follows the time that really passes. This is
 * the rule of Vixie's cron. cron-parser is asked in UTC, where there are no changes: by itself it leaves a day out in zones that change within an hour
 * (02:59 in Pacific/Chatham on 2025-09-28).
 */
export class DueTimes {
  readonly #clock: WallClock;
  /** Over wall times. */
  readonly #expression: CronExpression;
  readonly #everyHour: boolean;

  /** @throws Error when the expression or the zone is none */
  constructor({ cron, timezone }: Pick<ScheduleSpec, 'cron' | 'timezone'>) {
    this.#clock = new WallClock(timezone);
    this.#expression = CronExpressionParser.parse(cron, { currentDate: new Date(0), tz: 'UTC' });
    this.#everyHour = this.#expression.fields.hour.values.length === 24;
  }

  /** The first due time after an instant. @throws Error when none ever comes */
  next(after: Date): Date {
    const instant = after.getTime();
    const offsets = [instant - DAY, instant, instant + DAY].map((at) => this.#clock.offset(at));
    const [least, most] = [Math.min(...offsets), Math.max(...offsets)];
    // The wall may be put back after the instant, or forward just before it: walk from the earliest wall time that can be due after it…
    this.#expression.reset(new Date(Math.floor(instant / 1_000) * 1_000 + least - 1_000));
    for (let best = Infinity; ;) {
      const wall = this.#expression.next().getTime();
      // …up to the first that cannot be due before what was found.
      if (wall - Math.max(most, this.#clock.offset(wall)) > best) return new Date(best);
      for (const due of this.#dueAt(wall)) if (due > instant) best = Math.min(best, due);
    }
  }

  /**
   * The newest due times that have passed, oldest first.
   * @param first the due time to begin with
   */
  passed({ first, now, limit }: { first: Date; now: Date; limit: number }): Date[] {
    for (const back of LOOK_BACK) {
      const start = now.getTime() - back;
      if (start <= first.getTime()) break;
      const times = this.#walk(new Date(start), now);
      if (times.length >= limit) return times.slice(-limit);
    }
    return this.#walk(new Date(first.getTime() - 1), now).slice(-limit);
  }

  #walk(after: Date, now: Date): Date[] {
    const times: Date[] = [];
    for (let due = this.next(after); due <= now; due = this.next(due)) times.push(due);
    return times;
  }

  #dueAt(wall: number): number[] {
    const instants = this.#clock.instantsOf(wall);
    if (this.#everyHour) return instants;
    return [instants[0] ?? this.#clock.instantOfLeftOut(wall)];
  }
}

/** A field `H` or `H(0-29)`: the library draws it by lot, anew each time. */
const DRAWN_BY_LOT = /(^|[\s,])H/;

/** What is wrong with a cron expression, if anything. */
export function cronProblem(cron: string): string | undefined {
  if (DRAWN_BY_LOT.test(cron)) return "must say when, but 'H' leaves it to chance";
  try {
    new DueTimes({ cron, timezone: 'UTC' }).next(new Date('2024-01-01T00:00:00Z'));
    return undefined;
  } catch (error) {
    return `is not a cron expression that ever comes due (${error instanceof Error ? error.message : String(error)})`;
  }
}
