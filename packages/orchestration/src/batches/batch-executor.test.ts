import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  TransitionRefusedError,
  parseId,
  type Batch,
  type BatchInput,
  type JobPayload,
} from '@perennial/contract';
import {
  S3Objects,
  endBatch,
  listBatchChunks,
  listBatches,
  readHoldings,
  type JobContext,
  type JobHandlers,
} from '@perennial/storage';
import { createTestBucket, hasTestStore } from '@perennial/storage/testing';
import { BatchBench, ROWS, context } from '../testing/batch-bench.ts';

let bench: BatchBench;
beforeEach(async () => {
  bench = await BatchBench.open();
  await bench.register('binary');
});
afterEach(() => bench.close());

const PARQUET: BatchInput = { kind: 'files', format: 'parquet', path: '*.parquet' };
const CSV: BatchInput = { kind: 'files', format: 'csv', path: '*.csv' };

async function writeThree(format: string): Promise<void> {
  for (const part of [0, 1, 2])
    await bench.write(`${part}.${format}`, `SELECT * REPLACE (id + ${part * 1_000} AS id) FROM (${ROWS})`);
}

/** Does one job, as a worker would. */
async function work<Kind extends 'batch.start' | 'batch.chunk' | 'batch.finish'>(
  handlers: JobHandlers,
  kind: Kind,
  { payload, change }: { payload: JobPayload<Kind>; change?: Partial<JobContext> },
): Promise<void> {
  await handlers[kind]?.(payload as never, context(change));
}

const started = async (batch: Batch, handlers = bench.handlers()) => {
  await work(handlers, 'batch.start', { payload: { batch: batch.id } });
  return handlers;
};

async function expectWhole(batch: Batch, rows: number): Promise<void> {
  expect(batch).toMatchObject({ state: 'completed', rows, done: rows, output: { rows } });
  const ids = (await bench.rows(batch, 'SELECT id FROM file')).map(({ id }) => Number(id));
  expect(ids).toEqual(Array.from({ length: rows }, (_, i) => i));
}

describe('a batch whose workers die', () => {
  it('goes on at the chunk that was not done, and has each row once', async () => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET, keys: ['id'] });
    const first = await started(batch);
    await work(first, 'batch.chunk', { payload: { batch: batch.id, chunk: 1 } });
    expect(await bench.get(batch.id)).toMatchObject({ state: 'running', rows: 3_000, done: 1_000 });
    await expectWhole(await bench.run(batch), 3_000);
  });

  it('counts a chunk once that two workers score, and keeps one output of it', async () => {
    await writeThree('csv');
    const batch = await bench.start({ input: CSV, keys: ['id'] });
    const handlers = await started(batch);
    const chunk = { batch: batch.id, chunk: 0 };
    await Promise.all([
      work(handlers, 'batch.chunk', { payload: chunk }),
      work(bench.handlers(), 'batch.chunk', { payload: chunk }),
    ]);
    await work(handlers, 'batch.chunk', { payload: chunk });
    expect(await bench.get(batch.id)).toMatchObject({ done: 1_000 });
    const ended = await bench.run(batch);
    await expectWhole(ended, 3_000);
    expect(await bench.stored()).toHaveLength(2);
  });

  it('is cut into chunks once that two workers begin, and takes away what the later made', async () => {
    await writeThree('csv');
    const batch = await bench.start({ input: CSV, keys: ['id'] });
    await Promise.all([started(batch), started(batch)]);
    expect(await listBatchChunks(bench.database.orm, parseId('batch', batch.id))).toHaveLength(3);
    await expectWhole(await bench.run(batch), 3_000);
    expect(await bench.stored()).toHaveLength(2);
  });

  it('writes nothing after its lease', async () => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET, keys: ['id'] });
    const handlers = await started(batch);
    const lost = AbortSignal.abort(new Error('given to another'));
    const before = await bench.stored();
    await expect(
      work(handlers, 'batch.chunk', { payload: { batch: batch.id, chunk: 0 }, change: { signal: lost } }),
    ).rejects.toThrow('given to another');
    expect(await bench.stored()).toEqual(before);
    expect(await bench.get(batch.id)).toMatchObject({ state: 'running', done: 0, error: null });
    expect(await bench.leftovers()).toEqual([]);
  });

  it('is put together once, also when that is asked for twice', async () => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET, keys: ['id'] });
    const ended = await bench.run(batch);
    await work(bench.handlers(), 'batch.finish', { payload: { batch: batch.id } });
    expect(await bench.get(batch.id)).toEqual(ended);
    await expectWhole(ended, 3_000);
  });

  it('fails when none of its workers gets to the end', async () => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET });
    const handlers = await started(batch);
    await work(handlers, 'batch.chunk', {
      payload: { batch: batch.id, chunk: 0 },
      change: { attempt: 6 },
    });
    const { state, error } = await bench.get(batch.id);
    expect(state).toBe('failed');
    expect(error?.message).toContain('was begun 5 times');
  });
});

describe('a batch whose file changes', () => {
  it.each(['before a chunk is read', 'and is gone'])('fails with its name, %s', async (when) => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET, keys: ['id'] });
    await started(batch);
    const file = join(bench.folder, '1.parquet');
    await (when === 'and is gone' ? rm(file) : bench.write('1.parquet', `${ROWS} WHERE i < 900`));
    const ended = await bench.run(batch);
    expect(ended).toMatchObject({ state: 'failed', output: null });
    expect(ended.error?.message).toMatch(
      /'1\.parquet': (it has changed since the batch began|there is no such file)/,
    );
  });

  it('does not when it was only touched', async () => {
    await writeThree('parquet');
    const touched = await bench.start({ input: PARQUET, keys: ['id'] });
    await started(touched);
    await utimes(join(bench.folder, '1.parquet'), 1, 1);
    await expectWhole(await bench.run(touched), 3_000);
  });

  it('does not when it was made into another before', async () => {
    await writeThree('csv');
    const made = await bench.start({ input: CSV, keys: ['id'] });
    await started(made);
    await writeFile(join(bench.folder, '1.csv'), 'gone');
    await expectWhole(await bench.run(made), 3_000);
  });
});

describe('a batch that is cancelled', () => {
  const requester = { by: 'ann', origin: 'test' };

  it('before it began does nothing', async () => {
    await writeThree('parquet');
    const batch = await bench.start({ input: PARQUET });
    const cancelled = await bench.service().cancel(batch.id, requester);
    expect(cancelled.state).toBe('cancelled');
    await started(batch);
    expect(await listBatchChunks(bench.database.orm, parseId('batch', batch.id))).toEqual([]);
    await expect(bench.service().cancel(batch.id, requester)).rejects.toThrow(TransitionRefusedError);
  });

  it('half-way leaves nothing in the store, whoever is still at it', async () => {
    await writeThree('csv');
    const before = await bench.stored();
    const batch = await bench.start({ input: CSV, keys: ['id'] });
    const handlers = await started(batch);
    await work(handlers, 'batch.chunk', { payload: { batch: batch.id, chunk: 0 } });
    expect((await bench.stored()).length).toBeGreaterThan(before.length);
    await bench.service().cancel(batch.id, requester);
    await work(handlers, 'batch.chunk', { payload: { batch: batch.id, chunk: 1 } });
    await work(handlers, 'batch.finish', { payload: { batch: batch.id } });
    expect(await bench.stored()).toEqual(before);
    expect(await bench.get(batch.id)).toMatchObject({ state: 'cancelled', output: null, done: 1_000 });
  });

  it('does not end twice', async () => {
    const batch = await bench.start({ input: PARQUET });
    const id = parseId('batch', batch.id);
    await bench.service().cancel(batch.id, requester);
    const outcome = { state: 'completed' as const, output: { digest: 'sha256:0', bytes: 1, rows: 1 } };
    expect(await endBatch(bench.database.orm, id, { ...outcome, endedAt: bench.clock.now() })).toBe(false);
  });
});

describe('what is kept for batches', () => {
  it('is the version, the chunks and the made files while one is under way, then its output', async () => {
    await writeThree('csv');
    const batch = await bench.start({ input: CSV, keys: ['id'] });
    const id = parseId('batch', batch.id);
    const handlers = await started(batch);
    await work(handlers, 'batch.chunk', { payload: { batch: batch.id, chunk: 0 } });
    const [chunk] = await listBatchChunks(bench.database.orm, id);
    const during = await readHoldings(bench.database.orm);
    expect(during.needs).toEqual([{ model: 'bills', version: 1, reason: 'a batch of bills@1 is under way' }]);
    expect(during.batches).toMatchObject([{ id, underWay: true, dataset: null }]);
    const artifacts = during.batches[0]?.artifacts ?? [];
    expect(artifacts).toHaveLength(4);
    expect(artifacts).toEqual(expect.arrayContaining([chunk?.output, chunk?.part.digest]));
    const { output } = await bench.run(batch);
    const after = await readHoldings(bench.database.orm);
    expect(after.batches).toEqual([{ id, underWay: false, artifacts: [output?.digest], dataset: null }]);
    expect(after.needs).toEqual([]);
  });
});

it('batches are listed newest first, by model and by state', async () => {
  await bench.register('regression', 'costs');
  const ids: string[] = [];
  for (const model of ['bills', 'costs', 'bills'])
    ids.unshift((await bench.start({ model, input: PARQUET })).id);
  const list = async (query: object) =>
    (await listBatches(bench.database.orm, { limit: 2, ...query })).items.map(({ id }) => id);
  expect(await list({})).toEqual(ids.slice(0, 2));
  expect(await list({ model: 'costs' })).toEqual([ids[1]]);
  expect(await list({ state: 'running' })).toEqual([]);
  const { nextCursor } = await listBatches(bench.database.orm, { limit: 2 });
  expect(await list({ cursor: nextCursor })).toEqual([ids[2]]);
});

describe.skipIf(!hasTestStore)('a batch over a bucket', () => {
  it.each(['parquet', 'csv', 'ndjson'] as const)(
    'reads the %s objects of a prefix, and no others',
    async (format) => {
      const bucket = await createTestBucket();
      try {
        const { readFile } = await import('node:fs/promises');
        for (const part of [0, 1]) {
          await bench.write(
            `${part}.${format}`,
            `SELECT * REPLACE (id + ${part * 1_000} AS id) FROM (${ROWS})`,
          );
          await bucket.put(`in/${part}.${format}`, await readFile(join(bench.folder, `${part}.${format}`)));
        }
        await bucket.put('in/_SUCCESS', '');
        await bucket.put('other/x.csv', 'x');
        const request = { input: { kind: 'objectStore' as const, format, prefix: 'in/' }, keys: ['id'] };
        const service = bench.service(true);
        const batch = await service.start({
          ...request,
          model: 'bills',
          version: 1,
          by: 'ann',
          origin: 'test',
        });
        const places = { bucket: { objects: new S3Objects(bucket.account), name: bucket.bucket } };
        await expectWhole(await bench.run(batch, places), 2_000);
        const none = { ...request, input: { ...request.input, prefix: 'nothing/' } };
        const empty = await service.start({ ...none, model: 'bills', version: 1, by: 'ann', origin: 'test' });
        expect((await bench.run(empty, places)).error?.message).toContain(
          'no object has a key that begins so',
        );
      } finally {
        await bucket.remove();
      }
    },
  );
});
