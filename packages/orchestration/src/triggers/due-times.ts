import { CronExpressionParser } from 'cron-parser';
import type { ScheduleSpec } from '@perennial/contract';

type Timetable = Pick<ScheduleSpec, 'cron' | 'timezone'>;

/** A field `H` or `H(0-29)`: the library draws it by lot, anew each time. */
const DRAWN_BY_LOT = /(^|[\s,])H/;

/**
 * The first due time after an instant. A local time that a change of clocks leaves out is due as long after the change as it would have been
 * (02:30 becomes 03:30), one that comes twice is due the first time; schedules of hours and minutes follow the time that really passes.
 * @throws Error when the expression is none, or names a time that never comes
 */
export function nextDueTime({ cron, timezone }: Timetable, after: Date): Date {
  return CronExpressionParser.parse(cron, { currentDate: after, tz: timezone }).next().toDate();
}

/** What is wrong with a cron expression, if anything. */
export function cronProblem(cron: string): string | undefined {
  if (DRAWN_BY_LOT.test(cron)) return "must say when, but 'H' leaves it to chance";
  try {
    nextDueTime({ cron, timezone: 'UTC' }, new Date('2024-01-01T00:00:00Z'));
    return undefined;
  } catch (error) {
    return `is not a cron expression that ever comes due (${error instanceof Error ? error.message : String(error)})`;
  }
}

const HOUR = 3_600_000;
/** How far back due times are looked for, nearest first: a schedule of seconds is not walked through years. */
const LOOK_BACK = [HOUR, 24 * HOUR, 32 * 24 * HOUR, 400 * 24 * HOUR];

/**
 * The newest due times that have passed, oldest first.
 * @param first the due time to begin with
 */
export function passedDueTimes(
  timetable: Timetable,
  { first, now, limit }: { first: Date; now: Date; limit: number },
): Date[] {
  for (const back of LOOK_BACK) {
    const start = now.getTime() - back;
    if (start <= first.getTime()) break;
    const times = walk(timetable, { after: new Date(start), now });
    if (times.length >= limit) return times.slice(-limit);
  }
  return walk(timetable, { after: new Date(first.getTime() - 1), now }).slice(-limit);
}

function walk({ cron, timezone }: Timetable, { after, now }: { after: Date; now: Date }): Date[] {
  const expression = CronExpressionParser.parse(cron, { currentDate: after, tz: timezone });
  const times: Date[] = [];
  for (let due = expression.next().toDate(); due <= now; due = expression.next().toDate()) times.push(due);
  return times;
}
