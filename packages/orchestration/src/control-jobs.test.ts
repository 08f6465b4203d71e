import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { enqueue, startWorker, type Worker } from '@perennial/storage';
import { controlJobs } from './control-jobs.ts';
import { TriggerBench } from './testing/trigger-bench.ts';

let bench: TriggerBench;
let worker: Worker;
const log = vi.fn();

beforeEach(async () => {
  bench = await TriggerBench.open([{ name: 'flights' }], '2026-05-04T12:00:00Z');
  const { database, engine, backfills } = bench;
  worker = await startWorker({ database, handlers: controlJobs({ engine, backfills, log }) });
});
afterEach(async () => {
  await worker.stop();
  await bench.drop();
});

const queueIsEmpty = () =>
  vi.waitFor(async () => {
    const jobs = await bench.jobs();
    expect(jobs.filter((job) => job.kind !== 'run.execute')).toEqual([]);
  }, 20_000);

const stale = (pipeline: string) =>
  enqueue(bench.database.orm, {
    kind: 'pipeline.stale',
    payload: { pipeline, reason: 'AUC fell below 0.7.' },
  });

describe('a job of the control queue', () => {
  it('that says a model is stale raises a trigger of its pipeline', async () => {
    await stale('flights');
    await queueIsEmpty();
    expect(await bench.triggers()).toMatchObject([
      { kind: 'staleness', outcome: 'ran', cause: { staleness: 'AUC fell below 0.7.' } },
    ]);
  });

  it('about a pipeline whose file is gone is told of and not tried again', async () => {
    await stale('gone');
    await queueIsEmpty();
    expect(log).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining("'gone'") as string }),
    );
    expect(await bench.triggers()).toEqual([]);
  });

  it('brings a backfill from its start through its days', async () => {
    const days = { pipeline: 'flights', from: '2026-03-01', to: '2026-03-02' };
    const { id } = await bench.backfills.start({ ...days, force: false, by: 'Ann', origin: 'test' });
    for (const day of ['2026-03-01', '2026-03-02']) {
      await queueIsEmpty();
      const [run] = await bench.runs();
      expect(run).toMatchObject({ state: 'queued', asOf: `${day}T00:00:00.000Z` });
      await bench.startRun(run?.id ?? '');
      await bench.endRun(run?.id ?? '', 'succeeded');
    }
    await queueIsEmpty();
    const [backfill] = await bench.database.sql<{ state: string; done: number }[]>`
      select state, done from backfills`;
    expect([id.slice(0, 5), backfill]).toEqual(['back_', { state: 'finished', done: 2 }]);
  });
});
