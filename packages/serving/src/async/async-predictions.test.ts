import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NotFoundError, asyncPredictionSchema, parseId } from '@perennial/contract';
import { ResultExpiredError, expireAsyncPredictions, listPredictions } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { InvalidInstanceError, NoChampionError, OverloadedError } from '../errors.ts';
import { AsyncBench, HOUR } from '../testing/async-bench.ts';

let database: TestDatabase;
let bench: AsyncBench;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  bench = await AsyncBench.start(database.database);
});

async function listeners(): Promise<number | undefined> {
  const [row] = await database.database.sql<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity
    where datname = current_database() and application_name = 'perennial listener'`;
  return row?.n;
}

const logged = async () => (await listPredictions(database.database.orm, { model: 'm', limit: 100 })).items;
const request = { instances: [{ x: 1 }] };

describe('a request', () => {
  test('is taken with its job, and is answered by nobody yet', async () => {
    const taken = await bench.accept(1, 2);
    expect(asyncPredictionSchema.parse(taken)).toEqual(taken);
    expect(taken).toMatchObject({
      model: 'm',
      state: 'queued',
      response: null,
      requestedBy: 'token:tester',
      createdAt: '2001-03-04T05:06:07.000Z',
      expiresAt: '2001-03-04T06:06:07.000Z',
    });
    expect(await bench.find(taken)).toEqual(taken);
    expect(await bench.jobs()).toEqual([{ task: 'prediction.execute', payload: { prediction: taken.id } }]);
  });

  test('that the champion could not answer is refused at once, and leaves no job', async () => {
    const desk = bench.desk();
    const accept = (model: string, instances: unknown[]) =>
      desk.accept({ model, request: { instances }, by: 'me' });
    await expect(accept('m', [{ x: 'one' }])).rejects.toThrow(InvalidInstanceError);
    const many = [...Array<unknown>(20_000).fill({ x: 1 }), { y: 1 }];
    await expect(accept('m', many)).rejects.toThrow(/instances\[20000\]/);
    await expect(accept('nope', [{ x: 1 }])).rejects.toThrow(NotFoundError);
    await expect(accept('idle', [{ x: 1 }])).rejects.toThrow(NoChampionError);
    expect(await bench.jobs()).toEqual([]);
  });

  test('is refused while too many of the model wait, and taken again when one has ended', async () => {
    const desk = bench.desk({ queueLimit: 2 });
    const accept = () => desk.accept({ model: 'm', request, by: 'me' });
    const first = await accept();
    await accept();
    await expect(accept()).rejects.toThrow(OverloadedError);
    await expect(accept()).rejects.toMatchObject({ code: 'overloaded', transient: true });
    await bench.execute(first);
    expect((await accept()).state).toBe('queued');
  });

  test('carries the trace it was asked in to its job, and on to what its end is told by', async () => {
    await bench.addWebhook();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const taken = await bench.desk().accept({ model: 'm', request, by: 'me', traceparent });
    const [job] = await bench.jobs();
    expect(job?.payload).toEqual({ prediction: taken.id, traceparent });
    const context = { signal: new AbortController().signal, lastAttempt: false };
    await bench.executor().execute({ prediction: taken.id, traceparent }, context);
    const delivery = (await bench.jobs()).find(({ task }) => task === 'webhook.deliver');
    expect(delivery?.payload).toMatchObject({ traceparent });
  });
});

describe('the work', () => {
  test('answers with the champion of its moment, and says which it was', async () => {
    const taken = await bench.accept(1, 2);
    bench.served.promote('m', 5);
    await bench.served.table.refresh();
    bench.served.clock.advance(60_000);
    // The new champion is loaded beside the old one, which answers until then.
    while (bench.served.swaps.at(-1) !== 5) await new Promise((resolve) => setImmediate(resolve));
    await bench.execute(taken);
    const found = await bench.find(taken);
    expect(asyncPredictionSchema.parse(found)).toEqual(found);
    expect(found).toMatchObject({
      state: 'completed',
      error: null,
      endedAt: '2001-03-04T05:07:07.000Z',
      expiresAt: '2001-03-04T06:07:07.000Z',
      response: {
        model: 'm',
        version: 5,
        predictions: [
          { mode: 'async', output: { value: 6 } },
          { mode: 'async', output: { value: 7 } },
        ],
      },
    });
  });

  test('puts every answer on record, and keeps the request no longer', async () => {
    const taken = await bench.accept(1, 2);
    await bench.execute(taken);
    const { response } = await bench.find(taken);
    const records = await logged();
    expect(records.map(({ id }) => id).sort()).toEqual(response?.predictions.map(({ id }) => id));
    expect(records.at(-1)).toMatchObject({
      model: 'm',
      endpoint: 'm',
      version: 1,
      key: 'key-1',
      features: { x: 1 },
      output: { value: 2 },
      mode: 'async',
    });
    expect(await database.database.sql`select request from async_predictions`).toEqual([{ request: null }]);
  });

  test('has one result, whoever is done first, when it is done many times at once', async () => {
    await bench.addWebhook();
    const taken = await bench.accept(1, 2, 3);
    await Promise.all(Array.from({ length: 5 }, () => bench.execute(taken)));
    const { response } = await bench.find(taken);
    await bench.execute(taken);
    expect((await bench.find(taken)).response).toEqual(response);
    expect((await logged()).map(({ id }) => id).sort()).toEqual(response?.predictions.map(({ id }) => id));
    expect((await bench.events()).length).toBe(1);
  });

  test('that cannot be put on record has no result: it is tried again, and then there is one', async () => {
    const taken = await bench.accept(1);
    await database.database.sql`alter table predictions add constraint broken check (model <> 'm') not valid`;
    await expect(bench.execute(taken)).rejects.toThrow();
    expect((await bench.find(taken)).state).toBe('running');
    await database.database.sql`alter table predictions drop constraint broken`;
    await bench.execute(taken);
    expect((await bench.find(taken)).state).toBe('completed');
    expect((await logged()).length).toBe(1);
  });

  test('fails for good when the champion has come to want something else, and says why', async () => {
    const taken = await bench.accept(1);
    bench.served.setChampion('m', null);
    await bench.served.table.refresh();
    await bench.execute(taken);
    expect(await bench.find(taken)).toMatchObject({
      state: 'failed',
      response: null,
      error: { code: 'no-champion', details: { model: 'm' } },
    });
    expect(await logged()).toEqual([]);
    expect(bench.problems).toEqual([]);
  });

  test('is tried again for what passes by itself, until the last time', async () => {
    const taken = await bench.accept(1);
    await bench.served.models.close();
    await expect(bench.execute(taken)).rejects.toMatchObject({ code: 'unavailable' });
    expect((await bench.find(taken)).state).toBe('running');
    await bench.execute(taken, true);
    expect(await bench.find(taken)).toMatchObject({ state: 'failed', error: { code: 'unavailable' } });
  });

  test('leaves out of the record what the endpoint keeps out of it', async () => {
    bench.record = { redact: ['x'] };
    await bench.execute(await bench.accept(1));
    expect((await logged())[0]).toMatchObject({ features: {}, key: 'key-1' });
  });

  test('is told of to webhooks, with the result; of one with many answers, without', async () => {
    await bench.addWebhook();
    const small = await bench.accept(1);
    await bench.execute(small);
    const large = await bench.accept(...Array.from({ length: 1_001 }, (_, i) => i));
    await bench.execute(large);
    expect(await bench.events()).toEqual([
      {
        type: 'prediction.completed',
        timestamp: expect.any(String) as string,
        data: await bench.find(small),
      },
      {
        type: 'prediction.completed',
        timestamp: expect.any(String) as string,
        data: { ...(await bench.find(large)), response: null },
      },
    ]);
  });
});

describe('a wait', () => {
  test('ends with the prediction, for all who wait on one connection', async () => {
    const taken = await bench.accept(1);
    const desk = bench.desk();
    const waits = Array.from({ length: 50 }, () =>
      desk.find({ prediction: taken.id, waitMilliseconds: 30_000 }),
    );
    expect(bench.ended.waiting).toBe(50);
    await bench.execute(taken);
    for (const { state } of await Promise.all(waits)) expect(state).toBe('completed');
    expect(bench.ended.waiting).toBe(0);
    // A connection that was closed before this test may be on the server's list a little longer.
    await expect.poll(listeners).toBe(1);
  });

  test('ends when its time is over, and says how it stands', async () => {
    const taken = await bench.accept(1);
    const waiting = bench.desk().find({ prediction: taken.id, waitMilliseconds: 30_000 });
    expect(bench.waits.map(({ milliseconds }) => milliseconds)).toEqual([30_000]);
    bench.waits[0]?.pass();
    expect((await waiting).state).toBe('queued');
  });

  test('ends when who waits has gone, or the server stops', async () => {
    const taken = await bench.accept(1);
    const stop = new AbortController();
    const waiting = bench
      .desk()
      .find({ prediction: taken.id, waitMilliseconds: 30_000, signal: stop.signal });
    stop.abort();
    expect((await waiting).state).toBe('queued');
    expect(bench.ended.waiting).toBe(0);
  });

  test('for what has ended, or is not there, is none', async () => {
    const taken = await bench.accept(1);
    await bench.execute(taken);
    const desk = bench.desk();
    expect((await desk.find({ prediction: taken.id, waitMilliseconds: 30_000 })).state).toBe('completed');
    const nobody = 'async_0190b0a4-0000-7000-8000-000000000000';
    await expect(desk.find({ prediction: nobody, waitMilliseconds: 30_000 })).rejects.toThrow(NotFoundError);
  });
});

describe('a result', () => {
  test('is gone when its time is over, and its row a week later', async () => {
    const { orm, sql } = database.database;
    const taken = await bench.accept(1);
    await bench.execute(taken);
    bench.served.clock.advance(HOUR - 1);
    expect((await bench.find(taken)).state).toBe('completed');
    bench.served.clock.advance(1);
    await expect(bench.find(taken)).rejects.toThrow(ResultExpiredError);
    expect(await expireAsyncPredictions(orm, bench.served.clock.now())).toBe(1);
    expect(await expireAsyncPredictions(orm, bench.served.clock.now())).toBe(0);
    await expect(bench.find(taken)).rejects.toMatchObject({ code: 'result-expired' });
    expect(await sql`select state, request, response, error from async_predictions`).toEqual([
      { state: 'expired', request: null, response: null, error: null },
    ]);
    bench.served.clock.advance(7 * 24 * HOUR);
    await expireAsyncPredictions(orm, bench.served.clock.now());
    await expect(bench.find(taken)).rejects.toThrow(NotFoundError);
  });

  test('never comes of a request that nobody got to in time', async () => {
    const taken = await bench.accept(1);
    bench.served.clock.advance(HOUR);
    await bench.execute(taken);
    await expect(bench.find(taken)).rejects.toThrow(ResultExpiredError);
    expect(await logged()).toEqual([]);
    expect(await expireAsyncPredictions(database.database.orm, bench.served.clock.now())).toBe(1);
    expect(parseId('asyncPrediction', taken.id)).toMatch(/^[0-9a-f-]{36}$/);
  });
});
