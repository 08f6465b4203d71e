import { afterEach, describe, expect, it } from 'vitest';
import type { ScheduleInput } from '@perennial/pipeline';
import { PipelineInvalidError } from '@perennial/pipeline';
import { TriggerBench, type TimedPipeline } from '../testing/trigger-bench.ts';
import { ScheduleTriggers } from './schedule-triggers.ts';

let bench: TriggerBench;
afterEach(() => bench.drop());

const CRON = '0 3 * * *';
const HOUR = 3_600_000;

async function open(schedule: ScheduleInput, now: string): Promise<ScheduleTriggers> {
  bench = await TriggerBench.open([{ name: 'flights', schedule }], now);
  const schedules = new ScheduleTriggers(bench.parts);
  await schedules.tick();
  return schedules;
}

async function endWaitingRun(): Promise<void> {
  const [run] = await bench.runs();
  await bench.startRun(run?.id ?? '');
  await bench.endRun(run?.id ?? '', 'succeeded');
}

const due = async () => (await bench.triggers()).map((trigger) => trigger.cause.due);

describe('a schedule', () => {
  it('starts a run at its due time, once, and not before', async () => {
    const schedules = await open({ cron: CRON, timezone: 'America/Chicago' }, '2026-05-04T00:00:00Z');
    bench.clock.set('2026-05-04T07:59:59.999Z');
    await schedules.tick();
    expect(await bench.triggers()).toEqual([]);
    bench.clock.set('2026-05-04T08:00:00.400Z');
    await schedules.tick();
    await schedules.tick();
    expect(await bench.triggers()).toMatchObject([
      { kind: 'schedule', outcome: 'ran', cause: { due: '2026-05-04T08:00:00.000Z' } },
    ]);
  });

  it('that runs longer than its time between due times has one run waiting, no queue of them', async () => {
    const schedules = await open({ cron: '0 * * * *' }, '2026-05-04T00:30:00Z');
    bench.clock.set('2026-05-04T01:00:00Z');
    await schedules.tick();
    await bench.startRun((await bench.runs())[0]?.id ?? '');
    for (let hour = 2; hour < 10; hour++) {
      bench.clock.set(`2026-05-04T0${hour}:00:00Z`);
      await schedules.tick();
    }
    expect((await bench.runs()).map((run) => [run.state, run.asOf])).toEqual([
      ['queued', '2026-05-04T09:00:00.000Z'],
      ['running', '2026-05-04T01:00:00.000Z'],
    ]);
    expect((await bench.triggers()).filter((trigger) => trigger.outcome === 'merged')).toHaveLength(7);
  });

  it('that was changed in the file is planned anew, and one that was taken out is no more', async () => {
    await open({ cron: CRON }, '2026-05-04T00:00:00Z');
    const ticked = async (pipeline: Partial<TimedPipeline>) => {
      const restarted = await bench.restarted([{ name: 'flights', ...pipeline }]);
      await new ScheduleTriggers(restarted.parts).tick();
    };
    const planned = async () =>
      (await bench.database.sql<{ next_run_at: Date }[]>`select next_run_at from schedules`).map((row) =>
        row.next_run_at.toISOString(),
      );
    expect(await planned()).toEqual(['2026-05-04T03:00:00.000Z']);
    await ticked({ schedule: { cron: CRON, timezone: 'Asia/Tokyo' } });
    expect(await planned()).toEqual(['2026-05-04T18:00:00.000Z']);
    await ticked({});
    expect(await planned()).toEqual([]);
    expect(await bench.triggers()).toEqual([]);
  });

  it('of an older file is left to the process that has the newer one', async () => {
    const old = await open({ cron: CRON }, '2026-05-04T00:00:00Z');
    const restarted = await bench.restarted([{ name: 'flights', schedule: '0 4 * * *' }]);
    const current = new ScheduleTriggers(restarted.parts);
    await current.tick();
    bench.clock.set('2026-05-04T04:00:00Z');
    await old.tick();
    expect(await bench.triggers()).toEqual([]);
    await current.tick();
    expect(await due()).toEqual(['2026-05-04T04:00:00.000Z']);
  });

  it.each([
    [{ schedule: '61 3 * * *' }, /schedule\.cron: is not a cron expression/],
    [{ schedule: '0 0 30 2 *' }, /schedule\.cron: is not a cron expression that ever comes due/],
    [
      { limits: { quietHours: { from: '08:00', to: '08:00', timezone: 'UTC' } } },
      /limits\.quietHours\.to: must be another time/,
    ],
    [
      { limits: { quietHours: { from: '08:00', to: '09:00', timezone: 'Mars/Olympus' } } },
      /limits\.quietHours\.timezone: must be an IANA time zone/,
    ],
  ])('that makes no sense is refused with its file and field: %j', async (when, message) => {
    bench = await TriggerBench.open([], '2026-05-04T00:00:00Z');
    const loading = bench.restarted([{ name: 'flights', ...when }]);
    await expect(loading).rejects.toThrow(PipelineInvalidError);
    await expect(loading).rejects.toThrow(/in flights\.pipeline\.ts/);
    await expect(loading).rejects.toThrow(message);
  });
});

describe('what was missed while no scheduler was up', () => {
  async function downForFourDays(catchUp: 'latest' | 'all' | 'none'): Promise<void> {
    await open({ cron: CRON, catchUp }, '2026-05-04T00:00:00Z');
    bench.clock.set('2026-05-08T01:00:00Z');
    await new ScheduleTriggers(bench.parts).tick();
  }

  it('is made good with the newest due time alone: latest', async () => {
    await downForFourDays('latest');
    expect(await due()).toEqual(['2026-05-07T03:00:00.000Z']);
    expect(await bench.runs()).toMatchObject([{ asOf: '2026-05-08T01:00:00.000Z' }]);
  });

  it('is made good with a run for each, in order, each looking from its due time: all', async () => {
    await downForFourDays('all');
    const expected = ['2026-05-07', '2026-05-06', '2026-05-05', '2026-05-04'].map(
      (day) => `${day}T03:00:00.000Z`,
    );
    expect(await due()).toEqual(expected);
    expect((await bench.runs()).map((run) => run.asOf)).toEqual(expected);
  });

  it('is let go, on record: none', async () => {
    await downForFourDays('none');
    expect(await bench.runs()).toEqual([]);
    expect(await bench.triggers()).toMatchObject([
      { outcome: 'skipped', cause: { due: '2026-05-07T03:00:00.000Z' } },
    ]);
    bench.clock.set('2026-05-08T03:00:30Z');
    await new ScheduleTriggers(bench.parts).tick();
    expect(await bench.runs()).toHaveLength(1);
  });

  it('is made good for a year of days at most: the older ones are let go', { timeout: 120_000 }, async () => {
    await open({ cron: CRON, catchUp: 'all' }, '2024-01-01T00:00:00Z');
    bench.clock.set('2026-05-08T01:00:00Z');
    await new ScheduleTriggers(bench.parts).tick();
    expect(await bench.count('runs')).toBe(366);
    const times = await due();
    expect([times[0], times.at(-1)]).toEqual(['2026-05-07T03:00:00.000Z', '2025-05-07T03:00:00.000Z']);
  });
});

describe('two schedulers on one database', () => {
  it('make 1,000 runs of 1,000 due times, one each', { timeout: 300_000 }, async () => {
    const one = await open({ cron: '0 * * * *', catchUp: 'all' }, '2026-05-04T00:30:00Z');
    const two = new ScheduleTriggers(bench.parts);
    const first = Date.parse('2026-05-04T01:00:00Z');
    for (let i = 0; i < 1_000; i++) {
      bench.clock.set(new Date(first + i * HOUR));
      await Promise.all([one.tick(), two.tick()]);
    }
    expect([await bench.count('runs'), await bench.count('triggers')]).toEqual([1_000, 1_000]);
    const [row] = await bench.database.sql<{ times: number; first: Date; last: Date }[]>`
      select count(distinct as_of)::int as times, min(as_of) as first, max(as_of) as last from runs`;
    expect(row).toEqual({ times: 1_000, first: new Date(first), last: new Date(first + 999 * HOUR) });
  });

  it('start a run of each due time where only the newest counts, too', { timeout: 180_000 }, async () => {
    const one = await open({ cron: CRON }, '2026-05-04T00:00:00Z');
    const two = new ScheduleTriggers(bench.parts);
    for (let day = 0; day < 50; day++) {
      bench.clock.set(new Date(Date.parse('2026-05-04T03:00:00Z') + day * 24 * HOUR));
      await Promise.all([one.tick(), two.tick()]);
      await endWaitingRun();
    }
    expect([await bench.count('runs'), await bench.count('triggers')]).toEqual([50, 50]);
  });

  it('share what was missed without making any of it good twice', { timeout: 60_000 }, async () => {
    await open({ cron: '0 * * * *', catchUp: 'all' }, '2026-05-04T00:30:00Z');
    bench.clock.set('2026-05-06T00:30:00Z');
    const schedulers = Array.from({ length: 3 }, () => new ScheduleTriggers(bench.parts));
    await Promise.all(schedulers.map((scheduler) => scheduler.tick()));
    const times = await due();
    expect(times).toHaveLength(48);
    expect(new Set(times).size).toBe(48);
  });
});
