import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequestError } from '@perennial/contract';
import { transaction } from '../database/transaction.ts';
import { ownIdentity } from '../database/embedded/process-identity.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { enqueue } from './enqueue.ts';
import { startWorker, type JobHandler, type StartWorkerOptions, type Worker } from './worker.ts';

let test: TestDatabase;
let worker: Worker | undefined;
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await test.drop();
});

const newRun = () => `run_${randomUUID()}`;

function addJob(run: string, options: { jobKey?: string; runAt?: Date } = {}): Promise<string> {
  return enqueue(test.database.orm, { kind: 'run.execute', payload: { run }, ...options });
}

async function start(
  handler: JobHandler<'run.execute'>,
  options: Partial<StartWorkerOptions> = {},
): Promise<void> {
  worker = await startWorker({ database: test.database, handlers: { 'run.execute': handler }, ...options });
}

/** A handler and the payload it is first called with. */
function firstCall() {
  let handler: JobHandler<'run.execute'> = async () => undefined;
  const called = new Promise<string>((resolve) => {
    handler = async ({ run }) => resolve(run);
  });
  return {
    called,
    handler: ((payload, context) => handler(payload, context)) satisfies JobHandler<'run.execute'>,
  };
}

const jobs = () =>
  test.database.sql`select id::text, key, attempts, locked_by, run_at from graphile_worker.jobs order by id`;

/** As a worker leaves a job behind when it dies. */
async function lockJob(id: string, worker: string, lockedAt: Date): Promise<void> {
  await test.database.sql`
    update graphile_worker._private_jobs set locked_by = ${worker}, locked_at = ${lockedAt}, attempts = 1 where id = ${id}`;
}

async function heartbeat(row: {
  worker: string;
  pid: number;
  startedAt: string;
  machine: string;
  seenAt: Date;
}) {
  await test.database.sql`
    insert into worker_heartbeats (worker, pid, process_started_at, machine, seen_at)
    values (${row.worker}, ${row.pid}, ${row.startedAt}, ${row.machine}, ${row.seenAt})`;
}

describe('a queued job', () => {
  it('is done with its payload, and is gone afterwards', async () => {
    const { called, handler } = firstCall();
    await start(handler);
    const run = newRun();
    await addJob(run);
    expect(await called).toBe(run);
    await worker?.stop();
    expect(await jobs()).toEqual([]);
  });

  it('is there if and only if the transaction that queued it commits', async () => {
    const undone = transaction(test.database, async (tx) => {
      await enqueue(tx, { kind: 'run.execute', payload: { run: newRun() } });
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await jobs()).toEqual([]);
    const id = await transaction(test.database, (tx) =>
      enqueue(tx, { kind: 'run.execute', payload: { run: newRun() } }),
    );
    expect(await jobs()).toMatchObject([{ id }]);
  });

  it('replaces the one that waits under the same key', async () => {
    await addJob(newRun(), { jobKey: 'once' });
    await addJob(newRun(), { jobKey: 'once' });
    expect(await jobs()).toMatchObject([{ key: 'once' }]);
  });

  it('waits until it is due', async () => {
    const runAt = new Date('2999-01-01T00:00:00Z');
    await addJob(newRun(), { runAt });
    const { called, handler } = firstCall();
    await start(handler);
    const due = newRun();
    await addJob(due);
    expect(await called).toBe(due);
    await worker?.stop();
    expect(await jobs()).toMatchObject([{ run_at: runAt, attempts: 0 }]);
  });

  it('is refused when its payload is not that of its kind', async () => {
    await expect(addJob('not-a-run')).rejects.toBeInstanceOf(InvalidRequestError);
    expect(await jobs()).toEqual([]);
  });

  it('is tried again when its handler throws', async () => {
    const attempts: number[] = [];
    let done = () => {};
    const succeeded = new Promise<void>((resolve) => (done = resolve));
    await start(async (_payload, { attempt, lastAttempt }) => {
      attempts.push(attempt);
      expect(lastAttempt).toBe(false);
      if (attempt === 1) throw new Error('at first');
      done();
    });
    const id = await addJob(newRun());
    await makeDueAfterFailure(id);
    await succeeded;
    expect(attempts).toEqual([1, 2]);
  });

  it('stays with a worker that has no handler for its queue', async () => {
    const { handler } = firstCall();
    await addJob(newRun());
    await expect(start(handler, { queues: ['scoring'] })).resolves.toBeUndefined();
    await worker?.stop();
    expect(await jobs()).toMatchObject([{ attempts: 0, locked_by: null }]);
  });
});

/** graphile-worker waits 2.7 s before the second try. */
async function makeDueAfterFailure(id: string): Promise<void> {
  for (let due = 0; due === 0;) {
    const rows = await test.database.sql`
      update graphile_worker._private_jobs set run_at = now() where id = ${id} and locked_at is null and attempts = 1 returning id`;
    due = rows.length;
  }
}

describe('a job of a dead worker', () => {
  it('is taken up at once when the process is no more on this machine', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const { machine } = await ownIdentity();
    const run = newRun();
    await lockJob(await addJob(run), 'pool-dead', new Date());
    await heartbeat({ worker: 'pool-dead', pid: dead, startedAt: '1', machine, seenAt: new Date() });
    const { called, handler } = firstCall();
    await start(handler);
    expect(await called).toBe(run);
  });

  it('is taken up when another machine was silent for long', async () => {
    const run = newRun();
    await lockJob(await addJob(run), 'pool-far', new Date());
    const seenAt = new Date(Date.now() - 60_000);
    await heartbeat({ worker: 'pool-far', pid: 1, startedAt: '1', machine: 'elsewhere', seenAt });
    const { called, handler } = firstCall();
    await start(handler);
    expect(await called).toBe(run);
  });

  it('is taken up when the worker never made itself known', async () => {
    const run = newRun();
    await lockJob(await addJob(run), 'pool-unknown', new Date(Date.now() - 60_000));
    const { called, handler } = firstCall();
    await start(handler);
    expect(await called).toBe(run);
  });

  it('stays with a worker that lives, here or elsewhere', async () => {
    const { machine, pid, startedAt } = await ownIdentity();
    await lockJob(await addJob(newRun()), 'pool-far', new Date());
    await lockJob(await addJob(newRun()), 'pool-here', new Date(Date.now() - 60_000));
    await heartbeat({ worker: 'pool-far', pid: 1, startedAt: '1', machine: 'elsewhere', seenAt: new Date() });
    await heartbeat({ worker: 'pool-here', pid, startedAt, machine, seenAt: new Date() });
    const free = newRun();
    await addJob(free);
    const { called, handler } = firstCall();
    await start(handler);
    expect(await called).toBe(free);
    await worker?.stop();
    expect(await jobs()).toMatchObject([{ locked_by: 'pool-far' }, { locked_by: 'pool-here' }]);
  });
});

describe('a worker', () => {
  it('goes on when all its connections are cut', async () => {
    const [before, after] = [newRun(), newRun()];
    const done = new Map([before, after].map((run) => [run, deferred()]));
    await start(async ({ run }) => done.get(run)?.resolve());
    await addJob(before);
    await done.get(before)?.promise;
    const cut = await test.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'perennial queue' and datname = current_database()`;
    expect(cut.length).toBeGreaterThan(0);
    await addJob(after);
    await expect(done.get(after)?.promise).resolves.toBeUndefined();
  });

  it('lets a running job end before it stops', async () => {
    const { promise: begun, resolve: begin } = deferred();
    const { promise: permitted, resolve: permit } = deferred();
    let ended = false;
    await start(async () => {
      begin();
      await permitted;
      ended = true;
    });
    await addJob(newRun());
    await begun;
    const stopped = worker?.stop();
    permit();
    await stopped;
    expect(ended).toBe(true);
    expect(await jobs()).toEqual([]);
  });

  it('fires the signal of a job that keeps it from stopping, and the job is tried again later', async () => {
    const { promise: begun, resolve: begin } = deferred();
    await start(
      async (_payload, { signal }) => {
        begin();
        await aborted(signal);
        throw new Error('interrupted');
      },
      { stopMilliseconds: 1 },
    );
    await addJob(newRun());
    await begun;
    await worker?.stop();
    expect(await jobs()).toMatchObject([{ attempts: 1, locked_by: null }]);
  });

  it('fires the signal of its jobs when others took it for dead', async () => {
    const { promise: begun, resolve: begin } = deferred();
    const { promise: noticed, resolve: notice } = deferred();
    await start(
      async (_payload, { signal }) => {
        begin();
        await aborted(signal);
        notice();
      },
      { leaseMilliseconds: 1_000 },
    );
    await addJob(newRun());
    await begun;
    await test.database.sql`delete from worker_heartbeats`;
    await noticed;
    await expect
      .poll(() => test.database.sql`select pid from worker_heartbeats`)
      .toEqual([{ pid: process.pid }]);
  });

  it('is known while it runs, and forgotten when it stopped', async () => {
    await start(async () => undefined);
    const known = await test.database.sql`select pid from worker_heartbeats`;
    expect(known).toEqual([{ pid: process.pid }]);
    await worker?.stop();
    expect(await test.database.sql`select pid from worker_heartbeats`).toEqual([]);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
