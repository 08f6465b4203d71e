import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  InvalidRequestError,
  NotFoundError,
  TransitionRefusedError,
  type Backfill,
} from '@perennial/contract';
import { getBackfill, listAudit, listBackfills } from '@perennial/storage';
import { parseId } from '@perennial/contract';
import { TriggerBench, type RunEnd } from '../testing/trigger-bench.ts';

const pipeline = 'flights';
const stretch = {
  pipeline,
  from: '2026-02-27',
  to: '2026-03-02',
  force: true,
  by: 'Ann',
  origin: '203.0.113.7 req_1',
};
const bob = { by: 'Bob', origin: '203.0.113.8 req_2' };

let bench: TriggerBench;
beforeEach(async () => {
  bench = await TriggerBench.open([{ name: pipeline }], '2026-05-04T12:00:00Z');
});
afterEach(() => bench.drop());

const state = ({ id }: Backfill) => getBackfill(bench.database.orm, parseId('backfill', id));
const days = async () => (await bench.runs()).map((run) => run.asOf.slice(0, 10)).reverse();

/** Executes the newest run and what its end queues. */
async function execute(backfill: Backfill, end: RunEnd): Promise<Backfill> {
  const [run] = await bench.runs();
  await bench.startRun(run?.id ?? '');
  await bench.endRun(run?.id ?? '', end);
  expect(await bench.jobs()).toContainEqual({ kind: 'backfill.advance', series: null });
  await bench.backfills.advance(backfill.id);
  return state(backfill);
}

async function started(): Promise<Backfill> {
  const backfill = await bench.backfills.start(stretch);
  await bench.backfills.advance(backfill.id);
  return backfill;
}

describe('a backfill', () => {
  it('runs one day after the other, each when the one before has ended', async () => {
    const backfill = await bench.backfills.start(stretch);
    expect(backfill).toMatchObject({ state: 'running', nextDay: '2026-02-27', done: 0, by: 'Ann' });
    expect(await bench.jobs()).toEqual([{ kind: 'backfill.advance', series: null }]);
    await bench.backfills.advance(backfill.id);
    expect(await days()).toEqual(['2026-02-27']);
    expect(await execute(backfill, 'succeeded')).toMatchObject({ nextDay: '2026-02-28', done: 1 });
    expect(await execute(backfill, 'succeeded')).toMatchObject({ nextDay: '2026-03-01', done: 2 });
    expect(await execute(backfill, 'succeeded')).toMatchObject({ nextDay: '2026-03-02', done: 3 });
    expect(await execute(backfill, 'succeeded')).toMatchObject({ state: 'finished', nextDay: null, done: 4 });
    expect(await days()).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']);
    expect(await bench.runs()).toMatchObject(
      Array.from({ length: 4 }, () => ({ trigger: { kind: 'backfill', by: 'Ann' } })),
    );
    expect((await bench.triggers())[0]).toMatchObject({ cause: { backfill: backfill.id }, outcome: 'ran' });
  });

  it('starts no second run of a day, however often it is told to go on', async () => {
    const backfill = await started();
    await Promise.all(Array.from({ length: 10 }, () => bench.backfills.advance(backfill.id)));
    expect(await days()).toEqual(['2026-02-27']);
    await execute(backfill, 'succeeded');
    await Promise.all(Array.from({ length: 10 }, () => bench.backfills.advance(backfill.id)));
    expect(await days()).toEqual(['2026-02-27', '2026-02-28']);
    expect(await state(backfill)).toMatchObject({ done: 1 });
  });

  it('stops at a day whose run fails, says why, and goes on there when resumed', async () => {
    const backfill = await started();
    await execute(backfill, 'succeeded');
    const stopped = await execute(backfill, 'failed');
    expect(stopped).toMatchObject({ state: 'stopped', nextDay: '2026-02-28', done: 1 });
    expect(stopped.reason).toMatch(/^The run run_.* of 2026-02-28 failed: There are no rows\.$/);
    await bench.backfills.advance(backfill.id);
    expect(await days()).toHaveLength(2);
    expect(await bench.backfills.resume(backfill.id, bob)).toMatchObject({
      state: 'running',
      reason: null,
      done: 1,
    });
    expect(await days()).toEqual(['2026-02-27', '2026-02-28', '2026-02-28']);
    expect(await execute(backfill, 'succeeded')).toMatchObject({ nextDay: '2026-03-01', done: 2 });
  });

  it('that is stopped lets the run under way end, and counts it when resumed', async () => {
    const backfill = await started();
    expect(await bench.backfills.stop(backfill.id, bob)).toMatchObject({
      state: 'stopped',
      reason: 'Stopped by Bob.',
    });
    expect(await execute(backfill, 'succeeded')).toMatchObject({ state: 'stopped', done: 0 });
    expect(await days()).toEqual(['2026-02-27']);
    expect(await bench.backfills.resume(backfill.id, bob)).toMatchObject({ nextDay: '2026-02-28', done: 1 });
    expect(await days()).toEqual(['2026-02-27', '2026-02-28']);
  });

  it('is in the audit with whoever started, stopped and resumed it', async () => {
    const backfill = await started();
    await execute(backfill, 'failed');
    await bench.backfills.resume(backfill.id, bob);
    await bench.backfills.stop(backfill.id, bob);
    const { items } = await listAudit(bench.database.orm, { limit: 50, subject: `backfill:${backfill.id}` });
    expect(items.map(({ action, by, origin }) => ({ action, by, origin }))).toEqual([
      { action: 'backfill.stopped', ...bob },
      { action: 'backfill.resumed', ...bob },
      { action: 'backfill.stopped', by: 'scheduler', origin: 'scheduler' },
      { action: 'backfill.started', by: 'Ann', origin: '203.0.113.7 req_1' },
    ]);
    expect(items[2]?.reason).toContain('There are no rows.');
  });

  it('that is resumed while its run is under way starts no second one', async () => {
    const backfill = await started();
    await bench.backfills.stop(backfill.id, bob);
    await bench.backfills.resume(backfill.id, bob);
    expect(await days()).toEqual(['2026-02-27']);
  });

  it('has runs of its own, even where one for the day waits already', async () => {
    const asOf = new Date('2026-02-27T00:00:00Z');
    await bench.engine.fire({ pipeline, kind: 'request', by: 'Bob', asOf, force: true });
    await started();
    expect(await days()).toEqual(['2026-02-27', '2026-02-27']);
  });

  it('of a pipeline whose file is gone stops and says so', async () => {
    const backfill = await bench.backfills.start(stretch);
    const without = await bench.restarted([]);
    await without.backfills.advance(backfill.id);
    expect(await state(backfill)).toMatchObject({
      state: 'stopped',
      reason: "The pipeline 'flights' is not loaded any more.",
    });
  });

  it('is listed, newest first, by pipeline', async () => {
    const one = await bench.backfills.start(stretch);
    const two = await bench.backfills.start(stretch);
    const list = (query: { limit: number; pipeline?: string; cursor?: string }) =>
      listBackfills(bench.database.orm, query);
    const first = await list({ limit: 1, pipeline });
    expect(first.items).toEqual([two]);
    expect((await list({ limit: 1, pipeline, cursor: first.nextCursor ?? '' })).items).toEqual([one]);
    expect((await list({ limit: 1, pipeline: 'other' })).items).toEqual([]);
  });
});

describe('what makes no sense is refused', () => {
  const start = (change: Partial<typeof stretch>) => bench.backfills.start({ ...stretch, ...change });
  it('a last day before the first, and a stretch of more than ten years', async () => {
    await expect(start({ to: '2026-02-26' })).rejects.toThrow(InvalidRequestError);
    await expect(start({ from: '2006-01-01' })).rejects.toThrow(/at most 3660 days/);
  });

  it('a pipeline or a backfill that is not there', async () => {
    await expect(start({ pipeline: 'unknown' })).rejects.toThrow(NotFoundError);
    const unknown = 'back_0190b0a4-0000-7000-8000-000000000000';
    await expect(bench.backfills.advance(unknown)).rejects.toThrow(NotFoundError);
    await expect(bench.backfills.resume(unknown, bob)).rejects.toThrow(NotFoundError);
  });

  it('to resume one that runs, and to stop one that has stopped', async () => {
    const backfill = await started();
    await expect(bench.backfills.resume(backfill.id, bob)).rejects.toThrow(TransitionRefusedError);
    await bench.backfills.stop(backfill.id, bob);
    await expect(bench.backfills.stop(backfill.id, bob)).rejects.toThrow(TransitionRefusedError);
  });
});
