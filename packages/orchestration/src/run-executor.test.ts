import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type Run } from '@perennial/contract';
import { ArtifactStoreUnavailableError, getModelVersion, startWorker } from '@perennial/storage';
import { RunBench, PIPELINE } from './testing/run-bench.ts';

let bench: RunBench;
beforeEach(async () => {
  bench = await RunBench.open();
});
afterEach(() => bench.close());

const never = () => new AbortController().signal;
const WHOLE = ['data', 'training', 'validation', 'registration'].flatMap((step) => [
  `step-started ${step}`,
  `step-succeeded ${step}`,
]);

describe('a run', { timeout: 60_000 }, () => {
  it('goes through its steps to a version, and nothing happens when its job comes again', async () => {
    const run = await bench.start();
    expect(await bench.execute(run)).toMatchObject({
      state: 'succeeded',
      version: 1,
      verdict: 'no-baseline',
    });
    const events = await bench.events(run);
    expect(events).toEqual(['created', 'started', ...WHOLE, 'succeeded']);
    await bench.execute(run);
    expect(await bench.events(run)).toEqual(events);
    expect(await readdir(join(bench.folder, 'work'))).toEqual([]);
  });

  it('that cannot succeed ends as failed, which is no fault of its worker', async () => {
    const run = await bench.start('broken');
    expect(await bench.execute(run)).toMatchObject({ state: 'failed', error: { code: 'source-invalid' } });
    expect(await bench.events(run)).toEqual([
      'created',
      'started',
      'step-started data',
      'step-failed data',
      'failed',
    ]);
    expect(bench.waited).toEqual([]);
  });

  it('waits for what can pass, longer each time, and goes on when it has passed', async () => {
    bench.store.failures = 2;
    const run = await bench.start();
    expect(await bench.execute(run)).toMatchObject({ state: 'succeeded' });
    expect(bench.waited).toEqual([10_000, 20_000]);
    expect((await bench.events(run)).filter((event) => event.endsWith(' training'))).toEqual([
      'step-started training',
      'step-failed training',
      'step-started training',
      'step-failed training',
      'step-started training',
      'step-succeeded training',
    ]);
  });

  it('is left to the queue when that takes too long, and keeps what was done', async () => {
    bench.store.failures = 3;
    const run = await bench.start();
    await expect(bench.execute(run)).rejects.toBeInstanceOf(ArtifactStoreUnavailableError);
    expect(await bench.read(run)).toMatchObject({ state: 'running', endedAt: null });
    expect(await bench.execute(run)).toMatchObject({ state: 'succeeded', version: 1 });
    const events = await bench.events(run);
    expect(events.filter((event) => event === 'step-started data')).toHaveLength(1);
    expect(events.filter((event) => event === 'started')).toHaveLength(2);
  });

  it('fails when the queue will not try again', async () => {
    bench.store.failures = 3;
    const run = await bench.start();
    expect(await bench.execute(run, true)).toMatchObject({ state: 'failed', error: { code: 'unavailable' } });
  });

  it('is brought to its end by the queue itself', async () => {
    bench.store.failures = 3;
    const run = await bench.start();
    const executor = bench.executor();
    const worker = await startWorker({
      database: bench.database,
      handlers: { 'run.execute': (payload, job) => executor.execute(payload.run, job) },
    });
    await expect.poll(() => makeFailedJobsDue(), { timeout: 30_000 }).toBe(1);
    await expect.poll(async () => (await bench.read(run)).state, { timeout: 30_000 }).toBe('succeeded');
    await worker.stop();
  });
});

/** graphile-worker waits 2.7 s before the second try. */
async function makeFailedJobsDue(): Promise<number> {
  const rows = await bench.database.sql`
    update graphile_worker._private_jobs set run_at = now() where locked_at is null and attempts = 1 returning id`;
  return rows.length;
}

describe('a worker', { timeout: 60_000 }, () => {
  it('that is stopped leaves its run for the next, which does only what is left', async () => {
    const run = await bench.start();
    const stopping = new AbortController();
    bench.store.beforeGet = async () => stopping.abort(new Error('The worker stops.'));
    const job = { signal: stopping.signal, lastAttempt: false };
    await expect(bench.executor().execute(run.id, job)).rejects.toThrow();
    expect(await bench.read(run)).toMatchObject({ state: 'running' });
    expect(await bench.events(run)).not.toContain('failed');
    bench.store.beforeGet = async () => undefined;
    expect(await bench.execute(run)).toMatchObject({ state: 'succeeded', version: 1 });
    const events = await bench.events(run);
    expect(events.filter((event) => event === 'step-succeeded training')).toHaveLength(1);
    expect(events.filter((event) => event.startsWith('step-failed'))).toEqual([]);
  });

  it('loses its run to another that took it, and only one of them makes a version', async () => {
    const run = await bench.start();
    const executors = [bench.executor({ worker: 'one' }), bench.executor({ worker: 'two' })];
    const job = { signal: never(), lastAttempt: false };
    await Promise.all(executors.map((executor) => executor.execute(run.id, job)));
    expect(await bench.read(run)).toMatchObject({ state: 'succeeded', version: 1, error: null });
    expect((await bench.events(run)).filter((event) => event === 'succeeded')).toHaveLength(1);
    await expect(getModelVersion(bench.database.orm, PIPELINE, 2)).rejects.toMatchObject({
      code: 'version-not-found',
    });
  });

  it('clears away what a killed one left behind', async () => {
    const run = await bench.start();
    const leftover = join(bench.folder, 'work', `${parseId('run', run.id)}-0`, 'deep');
    await mkdir(leftover, { recursive: true });
    await bench.execute(run);
    expect(await readdir(join(bench.folder, 'work'))).toEqual([]);
  });

  it('gives up a run that twenty workers did not survive', async () => {
    const run = await bench.start();
    await bench.database.sql`update runs set fence = 20`;
    expect(await bench.execute(run)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('was begun 20 times') as string },
    });
    expect(await bench.events(run)).toEqual(['created', 'started', 'failed']);
  });
});

describe('a run that is cancelled', { timeout: 60_000 }, () => {
  it('while it is queued is never begun', async () => {
    const run = await bench.start();
    await bench.runs.cancel(run.id, { by: 'test', origin: 'test' });
    expect(await bench.execute(run)).toMatchObject({ state: 'cancelled' });
    expect(await bench.events(run)).toEqual(['created', 'cancelled']);
  });

  it('while it is executed ends there and makes no version', async () => {
    const run = await bench.start();
    const executor = bench.executor();
    bench.store.beforeGet = async () => {
      await bench.runs.cancel(run.id, { by: 'test', origin: 'test' });
      executor.cancel(parseId('run', run.id));
    };
    await executor.execute(run.id, { signal: never(), lastAttempt: false });
    expect(await bench.read(run)).toMatchObject({ state: 'cancelled', version: null, error: null });
    const events = await bench.events(run);
    expect(events.at(-1)).toBe('cancelled');
    expect(events).not.toContain('step-succeeded validation');
  });

  it('cannot be cancelled again', async () => {
    const run = await bench.start();
    await bench.runs.cancel(run.id, { by: 'test', origin: 'test' });
    await expect(bench.runs.cancel(run.id, { by: 'test', origin: 'test' })).rejects.toMatchObject({
      code: 'transition-refused',
    });
  });
});

describe('a pipeline that is not what it was', { timeout: 60_000 }, () => {
  it('fails the runs that were asked for with its former code', async () => {
    const run = await bench.start();
    await bench.change('other code');
    expect(await bench.execute(run)).toMatchObject({
      state: 'failed',
      error: { code: 'conflict', message: expect.stringContaining('start a new run') as string },
    });
  });

  it('fails its runs when it is gone', async () => {
    const run = await bench.start();
    await bench.change('gone');
    expect(await bench.execute(run)).toMatchObject({
      state: 'failed',
      error: { code: 'pipeline-not-found' },
    });
  });
});

describe('a champion that moves while a candidate is compared with it', { timeout: 60_000 }, () => {
  it('has the candidate compared anew, with the new one', async () => {
    const [late, early] = [await bench.start(), await other()];
    let gets = 0;
    // The first time the candidate is read it is validated; the second time it is about to be registered.
    bench.store.beforeGet = async () => {
      gets += 1;
      if (gets === 2) await bench.execute(early);
    };
    expect(await bench.execute(late)).toMatchObject({ state: 'succeeded', version: 2 });
    expect(await bench.read(early)).toMatchObject({ version: 1, verdict: 'no-baseline' });
    const { gate } = await getModelVersion(bench.database.orm, PIPELINE, 2);
    expect(gate?.champion).toMatchObject({ version: 1 });
    const validations = (await bench.events(late)).filter((event) => event === 'step-succeeded validation');
    expect(validations).toHaveLength(2);
  });
});

/** Another run of the same pipeline; a waiting one would do for both requests, so the first has to be begun. */
async function other(): Promise<Run> {
  await bench.database.sql`update runs set state = 'running'`;
  return bench.start();
}
