import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { DueTimes, cronProblem } from './due-times.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CHICAGO = 'America/Chicago';

/** Due times after an instant, each asked for from the one before it, as a scheduler does. */
function dueTimes(
  timetable: { cron: string; timezone: string },
  after: string | Date,
  count: number,
): Date[] {
  const due = new DueTimes(timetable);
  const times: Date[] = [];
  for (let last = new Date(after); times.length < count;) {
    last = due.next(last);
    times.push(last);
  }
  return times;
}

const iso = (times: Date[]) => times.map((time) => time.toISOString());

describe('a due time', () => {
  it('in the hour that does not exist comes as long after the change of clocks as it would have come', () => {
    const times = dueTimes({ cron: '30 2 * * *', timezone: CHICAGO }, '2026-03-07T00:00:00Z', 3);
    // 02:30 CST, 03:30 CDT, 02:30 CDT.
    expect(iso(times)).toEqual([
      '2026-03-07T08:30:00.000Z',
      '2026-03-08T08:30:00.000Z',
      '2026-03-09T07:30:00.000Z',
    ]);
  });

  it('in the hour that comes twice comes the first time only', () => {
    const times = dueTimes({ cron: '30 1 * * *', timezone: CHICAGO }, '2026-10-31T00:00:00Z', 3);
    // 01:30 CDT, 01:30 CDT, 01:30 CST.
    expect(iso(times)).toEqual([
      '2026-10-31T06:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
      '2026-11-02T07:30:00.000Z',
    ]);
  });

  it.each(['2026-03-08T05:00:00Z', '2026-11-01T04:00:00Z'])(
    'of every hour comes every hour that passes, over the change of clocks after %s too',
    (start) => {
      const times = dueTimes({ cron: '0 * * * *', timezone: CHICAGO }, start, 8);
      const expected = Array.from({ length: 8 }, (_, i) => new Date(Date.parse(start) + (i + 1) * HOUR));
      expect(iso(times)).toEqual(iso(expected));
    },
  );

  it('is the next one when asked at a due time', () => {
    const due = new DueTimes({ cron: '0 3 * * *', timezone: 'UTC' });
    expect(due.next(new Date('2026-05-04T03:00:00Z'))).toEqual(new Date('2026-05-05T03:00:00Z'));
    expect(due.next(new Date('2026-05-04T02:59:59.999Z'))).toEqual(new Date('2026-05-04T03:00:00Z'));
  });

  it('that is left out at the end of a day comes before the change of clocks, on that day', () => {
    // The second after 22:59:59 of 30 March shows 00:00:00 of 31 March.
    const times = dueTimes({ cron: '30 23 * * *', timezone: 'America/Nuuk' }, '2024-03-30T12:00:00Z', 2);
    expect(iso(times)).toEqual(['2024-03-31T00:59:59.000Z', '2024-04-01T00:30:00.000Z']);
  });

  it('comes in every quarter of an hour that comes twice, where every hour is asked for', () => {
    const times = dueTimes({ cron: '*/15 * * * *', timezone: CHICAGO }, '2026-11-01T05:50:00Z', 12);
    const first = Date.parse('2026-11-01T06:00:00Z');
    expect(iso(times)).toEqual(iso(times.map((_, i) => new Date(first + i * 900_000))));
  });
});

/** Reads the wall clock of a zone. */
function wallClock(timezone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (at) => format.format(at);
}

function offsetOf(clock: (at: Date) => string, at: number): number {
  return Date.parse(`${clock(new Date(at)).replace(' ', 'T')}Z`) - at;
}

interface ClockChange {
  timezone: string;
  /** The first second of the new offset. */
  at: Date;
}

/** Every change of a zone's offset within some years. Looked for a week apart: none lie closer. */
function clockChanges(timezone: string, from: string, to: string): ClockChange[] {
  const clock = wallClock(timezone);
  const changes: ClockChange[] = [];
  for (let week = Date.parse(from); week < Date.parse(to); week += 7 * DAY) {
    let [before, after] = [week, week + 7 * DAY];
    const offset = offsetOf(clock, before);
    if (offsetOf(clock, after) === offset) continue;
    while (after - before > 1_000) {
      const middle = Math.floor((before + after) / 2_000) * 1_000;
      if (offsetOf(clock, middle) === offset) before = middle;
      else after = middle;
    }
    changes.push({ timezone, at: new Date(after) });
  }
  return changes;
}

const ZONES = Intl.supportedValuesOf('timeZone');
const CHANGES = ZONES.flatMap((zone) => clockChanges(zone, '2024-01-01T00:00:00Z', '2029-01-01T00:00:00Z'));

/** Days of the wall calendar around a change, each with how often it was due. */
function duePerDay(cron: string, { timezone, at }: ClockChange): Map<string, number> {
  const clock = wallClock(timezone);
  const counts = new Map<string, number>();
  for (let time = at.getTime() - 3 * DAY; time <= at.getTime() + 3 * DAY; time += HOUR)
    counts.set(clock(new Date(time)).slice(0, 10), 0);
  const days = [...counts.keys()];
  const start = new Date(at.getTime() - 5 * DAY);
  for (const due of dueTimes({ cron, timezone }, start, 10)) {
    const day = clock(due).slice(0, 10);
    if (counts.has(day)) counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  // The days at the two ends are seen in part.
  return new Map(days.slice(1, -1).map((day) => [day, counts.get(day) ?? 0]));
}

describe('over the changes of clocks of all zones from 2024 to 2028', () => {
  it('there are some to test with, in both directions', () => {
    expect(ZONES.length).toBeGreaterThan(400);
    expect(CHANGES.length).toBeGreaterThan(500);
  });

  it('a daily schedule is due exactly once on every day, whatever its time', { timeout: 120_000 }, () => {
    const changes = fc.constantFrom(...CHANGES);
    const aroundMidnightOrChange = fc.oneof(
      fc.integer({ min: 0, max: 23 }),
      fc.constantFrom(0, 1, 2, 3, 22, 23),
    );
    fc.assert(
      fc.property(changes, aroundMidnightOrChange, fc.constantFrom(0, 30, 59), (change, hour, minute) => {
        const perDay = duePerDay(`${minute} ${hour} * * *`, change);
        expect([...perDay.values()], `${change.timezone} ${[...perDay.keys()].join(' ')}`).toEqual(
          [...perDay].map(() => 1),
        );
      }),
      { numRuns: 800 },
    );
  });

  it('a schedule of every hour never stops for more than two', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHANGES), fc.constantFrom(0, 30, 59), (change, minute) => {
        const start = new Date(change.at.getTime() - 5 * HOUR);
        const times = dueTimes({ cron: `${minute} * * * *`, timezone: change.timezone }, start, 10);
        const pauses = times.map((time, i) => time.getTime() - (times[i - 1] ?? start).getTime());
        expect(Math.max(...pauses)).toBeLessThanOrEqual(2 * HOUR);
        expect(Math.min(...pauses)).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it('due times agree, from whatever instant they are asked for', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CHANGES),
        fc.constantFrom('30 2 * * *', '*/20 1-3 * * *', '0 * * * *', '15 0,23 * * *'),
        fc.integer({ min: -2 * DAY, max: DAY }),
        (change, cron, away) => {
          const timetable = { cron, timezone: change.timezone };
          const instant = change.at.getTime() + away;
          const next = new DueTimes(timetable).next(new Date(instant));
          const walked = dueTimes(timetable, new Date(change.at.getTime() - 4 * DAY), 200);
          expect(next).toEqual(walked.find((time) => time.getTime() > instant) ?? next);
          expect(next.getTime()).toBeGreaterThan(instant);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('due times that have passed', () => {
  const now = new Date('2026-05-04T12:00:00Z');
  const passed = (cron: string, first: string, limit: number) =>
    iso(new DueTimes({ cron, timezone: 'UTC' }).passed({ first: new Date(first), now, limit }));

  it('begin with the first, and are told oldest first', () => {
    expect(passed('0 3 * * *', '2026-05-02T03:00:00Z', 10)).toEqual([
      '2026-05-02T03:00:00.000Z',
      '2026-05-03T03:00:00.000Z',
      '2026-05-04T03:00:00.000Z',
    ]);
  });

  it('are the newest where there are more than the limit', () => {
    expect(passed('0 3 * * *', '2020-01-01T03:00:00Z', 2)).toEqual([
      '2026-05-03T03:00:00.000Z',
      '2026-05-04T03:00:00.000Z',
    ]);
    const seconds = passed('* * * * * *', '2016-01-01T00:00:00Z', 366);
    expect([seconds.length, seconds.at(-1)]).toEqual([366, now.toISOString()]);
  });
});

describe('a cron expression', () => {
  it.each(['0 3 * * *', '*/5 * * * * *', '0 0 29 2 *', '30 4 * * MON-FRI', '0 3 L * *', '0 3 * * THU'])(
    '%s is one',
    (cron) => expect(cronProblem(cron)).toBeUndefined(),
  );

  it.each(['61 * * * *', 'a b c d e', '0 0 30 2 *', 'H 3 * * *', '0 H(0-5) * * *', '0 3 * * 1,'])(
    '%s is none',
    (cron) => expect(cronProblem(cron)).toMatch(/./),
  );
});
