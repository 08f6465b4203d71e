import { and, asc, eq, lte } from 'drizzle-orm';
import { schedules } from '../database/schema.ts';
import type { Executor } from './executor.ts';

export type ScheduleRow = typeof schedules.$inferSelect;

export async function findSchedule(db: Executor, pipeline: string): Promise<ScheduleRow | undefined> {
  const [row] = await db.select().from(schedules).where(eq(schedules.pipeline, pipeline));
  return row;
}

/** Writes down when a pipeline is due next, in place of what was planned before. */
export async function planSchedule(tx: Executor, schedule: ScheduleRow): Promise<void> {
  await tx
    .insert(schedules)
    .values(schedule)
    .onConflictDoUpdate({ target: schedules.pipeline, set: schedule });
}

/** The pipeline has no schedule any more. */
export async function dropSchedule(tx: Executor, pipeline: string): Promise<void> {
  await tx.delete(schedules).where(eq(schedules.pipeline, pipeline));
}

/** Schedules whose time has come, the longest due first. */
export async function dueSchedules(db: Executor, now: Date): Promise<ScheduleRow[]> {
  return db.select().from(schedules).where(lte(schedules.nextRunAt, now)).orderBy(asc(schedules.nextRunAt));
}

/**
 * Takes a due time by moving the schedule on to its next one.
 * @returns false when another scheduler took it first, or planned anew
 */
export async function takeDueTime(tx: Executor, due: ScheduleRow, nextRunAt: Date): Promise<boolean> {
  const taken = await tx
    .update(schedules)
    .set({ nextRunAt })
    .where(
      and(
        eq(schedules.pipeline, due.pipeline),
        eq(schedules.nextRunAt, due.nextRunAt),
        eq(schedules.cron, due.cron),
        eq(schedules.timezone, due.timezone),
      ),
    )
    .returning({ pipeline: schedules.pipeline });
  return taken.length === 1;
}
