import type { PipelineSpec, ScheduleSpec } from '@perennial/contract';
import {
  dropSchedule,
  dueSchedules,
  findSchedule,
  planSchedule,
  takeDueTime,
  transaction,
  type ScheduleRow,
} from '@perennial/storage';
import { DueTimes } from './due-times.ts';
import type { TriggerEngine, TriggerEngineDependencies } from './trigger-engine.ts';

/** Runs that `catchUp: 'all'` makes good at most: a year of days. Older due times are let go. */
export const MOST_MADE_GOOD = 366;

/** A due time noticed later than this was missed: no scheduler was up. */
const MISSED_AFTER_MILLISECONDS = 60_000;

export interface ScheduleTriggersDependencies extends TriggerEngineDependencies {
  engine: TriggerEngine;
}

/** Raises the triggers of schedules. Any number of them may tick on one database: each due time is taken by one. */
export class ScheduleTriggers {
  readonly #dependencies: ScheduleTriggersDependencies;
  #planned = false;

  constructor(dependencies: ScheduleTriggersDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes every due time that has come. The first tick plans the schedules as the pipeline files have them. */
  async tick(): Promise<void> {
    const { database, clock, catalog } = this.#dependencies;
    if (!this.#planned) {
      for (const name of catalog.names()) await this.#plan(catalog.get(name).spec);
      this.#planned = true;
    }
    for (const row of await dueSchedules(database.orm, clock.now())) {
      const schedule = this.#scheduleOf(row);
      // Other code than ours planned it, in a newer or older process: theirs to take.
      if (schedule !== undefined) await this.#takeDue(row, schedule);
    }
  }

  /** A schedule that is still what it was keeps its next due time, so that what was missed while nobody was up is known. */
  async #plan({ name, schedule }: PipelineSpec): Promise<void> {
    const { database, clock } = this.#dependencies;
    await transaction(database, async (tx) => {
      if (schedule === undefined) return dropSchedule(tx, name);
      const { cron, timezone } = schedule;
      const row = await findSchedule(tx, name);
      if (row?.cron === cron && row.timezone === timezone) return;
      const nextRunAt = new DueTimes(schedule).next(clock.now());
      await planSchedule(tx, { pipeline: name, cron, timezone, nextRunAt });
    });
  }

  #scheduleOf({ pipeline, cron, timezone }: ScheduleRow): ScheduleSpec | undefined {
    const { catalog } = this.#dependencies;
    if (!catalog.names().includes(pipeline)) return undefined;
    const { schedule } = catalog.get(pipeline).spec;
    return schedule?.cron === cron && schedule.timezone === timezone ? schedule : undefined;
  }

  async #takeDue(row: ScheduleRow, schedule: ScheduleSpec): Promise<void> {
    switch (schedule.catchUp) {
      case 'all':
        return this.#takeAll(row, schedule);
      case 'latest':
        return this.#takeLatest(row, schedule);
      case 'none':
        return this.#takeUnlessMissed(row, schedule);
    }
  }

  /** Every due time has a run of its own, which looks at the world from that time. */
  async #takeAll(row: ScheduleRow, schedule: ScheduleSpec): Promise<void> {
    const { database, clock, engine } = this.#dependencies;
    const now = clock.now();
    const timetable = new DueTimes(schedule);
    const times = timetable.passed({ first: row.nextRunAt, now, limit: MOST_MADE_GOOD });
    let current = row;
    for (const [index, due] of times.entries()) {
      const next = times[index + 1] ?? timetable.next(now);
      const from = current;
      const taken = await transaction(database, async (tx) => {
        if (!(await takeDueTime(tx, from, next))) return false;
        await engine.fireIn(tx, { ...triggerOf(row, due), asOf: due });
        return true;
      });
      // Another scheduler is at it and will take the rest.
      if (!taken) return;
      current = { ...current, nextRunAt: next };
    }
  }

  /** Of the due times that passed the newest is enough: its run sees all that those before it would have seen. */
  async #takeLatest(row: ScheduleRow, schedule: ScheduleSpec): Promise<void> {
    const { database, clock, engine } = this.#dependencies;
    const now = clock.now();
    const { due, next } = newestDueTime(row, schedule, now);
    await transaction(database, async (tx) => {
      if (await takeDueTime(tx, row, next)) await engine.fireIn(tx, triggerOf(row, due));
    });
  }

  async #takeUnlessMissed(row: ScheduleRow, schedule: ScheduleSpec): Promise<void> {
    const { database, clock, engine } = this.#dependencies;
    const now = clock.now();
    const { due, next } = newestDueTime(row, schedule, now);
    const missed = now.getTime() - due.getTime() > MISSED_AFTER_MILLISECONDS;
    await transaction(database, async (tx) => {
      if (!(await takeDueTime(tx, row, next))) return;
      const trigger = triggerOf(row, due);
      if (missed) await engine.skipIn(tx, trigger, MISSED);
      else await engine.fireIn(tx, trigger);
    });
  }
}

const MISSED = 'No scheduler was up at the due time, and the schedule makes up for none that were missed.';

function newestDueTime(row: ScheduleRow, schedule: ScheduleSpec, now: Date): { due: Date; next: Date } {
  const timetable = new DueTimes(schedule);
  const [newest] = timetable.passed({ first: row.nextRunAt, now, limit: 1 });
  return { due: newest ?? row.nextRunAt, next: timetable.next(now) };
}

function triggerOf({ pipeline }: ScheduleRow, due: Date) {
  const cause = { due: due.toISOString() };
  return { pipeline, kind: 'schedule' as const, by: 'schedule', cause };
}
