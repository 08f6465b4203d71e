import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConflictError, InvalidRequestError, ManualClock } from '@perennial/contract';
import type { Database } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { IdempotencyConflictError } from '../errors.ts';
import { idempotencyChore } from '../platform/idempotency-keys.ts';
import { answerOnce, takesIdempotencyKey, type Answer, type IdempotentRequest } from './idempotency.ts';

let test: TestDatabase;
let database: Database;
let clock: ManualClock;
beforeAll(async () => {
  test = await createTestDatabase();
  ({ database } = test);
});
afterAll(() => test.drop());
beforeEach(async () => {
  clock = new ManualClock('2024-03-11T03:00:00Z');
  await database.sql`delete from idempotency_keys`;
});

const request: IdempotentRequest = { caller: 'a', key: 'k', request: { name: 'startRun', body: { n: 1 } } };

function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Work that counts how often it is done. */
function counted(answer: Answer = { status: 202, body: { id: 'run_1' } }) {
  const work = Object.assign(
    async () => {
      work.done += 1;
      return answer;
    },
    { done: 0 },
  );
  return work;
}
const ask = (work: () => Promise<Answer>, changes: Partial<IdempotentRequest> = {}) =>
  answerOnce({ database, clock }, { ...request, ...changes }, work);

describe('a request with a key', () => {
  it('is done once and answered the same every time', async () => {
    const work = counted();
    const answers = [await ask(work), await ask(work), await ask(work)];
    expect(work.done).toBe(1);
    expect(answers).toEqual(Array.from({ length: 3 }, () => ({ status: 202, body: { id: 'run_1' } })));
  });

  it('is the same request whatever order its fields came in', async () => {
    const work = counted();
    await ask(work, { request: { a: 1, b: { c: 2, d: 3 } } });
    await ask(work, { request: { b: { d: 3, c: 2 }, a: 1 } });
    expect(work.done).toBe(1);
  });

  it('of another content is refused', async () => {
    const work = counted();
    await ask(work);
    await expect(ask(work, { request: { name: 'startRun', body: { n: 2 } } })).rejects.toMatchObject({
      code: 'idempotency-conflict',
      reason: 'mismatch',
      transient: false,
    });
    expect(work.done).toBe(1);
  });

  it('of another caller is another request', async () => {
    const work = counted();
    await ask(work);
    await ask(work, { caller: 'b' });
    expect(work.done).toBe(2);
  });

  it('is done once when twenty come at the same time; the others are told to ask again', async () => {
    const work = counted();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => ask(work)));
    expect(work.done).toBe(1);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeLessThan(20);
    for (const { reason } of refused) {
      expect(reason).toBeInstanceOf(IdempotencyConflictError);
      expect(reason).toMatchObject({ reason: 'in-progress', transient: true });
    }
    expect(await ask(work)).toEqual({ status: 202, body: { id: 'run_1' } });
  });

  it('that failed may be tried again', async () => {
    const failing = async () => Promise.reject(new ConflictError('Changed.'));
    await expect(ask(failing)).rejects.toBeInstanceOf(ConflictError);
    const work = counted();
    await ask(work);
    expect(work.done).toBe(1);
  });

  it('whose process died is told to wait for a minute, and is then done', async () => {
    const { promise: begun, resolve: begin } = deferred();
    // Work that never ends: all that a request leaves behind whose process is killed.
    void ask(async () => {
      begin();
      return new Promise<Answer>(() => undefined);
    });
    await begun;
    const work = counted();
    clock.advance(59_000);
    await expect(ask(work)).rejects.toMatchObject({ reason: 'in-progress' });
    clock.advance(2_000);
    await expect(ask(work)).resolves.toMatchObject({ status: 202 });
    expect(work.done).toBe(1);
  });

  it('keeps an answer for ever, however late the repetition', async () => {
    const work = counted();
    await ask(work);
    clock.advance(86_400_000);
    await ask(work);
    expect(work.done).toBe(1);
  });

  it('tells why the work failed even when the database is gone by then', async () => {
    const own = await createTestDatabase();
    const cause = new ConflictError('Changed.');
    const work = async () => {
      await own.drop();
      throw cause;
    };
    await expect(answerOnce({ database: own.database, clock }, request, work)).rejects.toBe(cause);
  });

  it.each(['', 'a b', 'ä', 'x'.repeat(256), 'a\u0000'])('is refused when the key is %j', async (key) => {
    const work = counted();
    await expect(ask(work, { key })).rejects.toBeInstanceOf(InvalidRequestError);
    expect(work.done).toBe(0);
  });
});

it('keys are for what makes something; not for predictions, which must not need the database, nor for answers with a secret', () => {
  expect(takesIdempotencyKey('startRun')).toBe(true);
  expect(takesIdempotencyKey('postGroundTruth')).toBe(true);
  expect(takesIdempotencyKey('predict')).toBe(false);
  expect(takesIdempotencyKey('createWebhook')).toBe(false);
  expect(takesIdempotencyKey('createToken')).toBe(false);
  expect(takesIdempotencyKey('openSession')).toBe(false);
  expect(takesIdempotencyKey('replayDelivery')).toBe(true);
  expect(takesIdempotencyKey('listRuns')).toBe(false);
});

describe('keys that are old', () => {
  it('are forgotten after seven days, at most an hour late', async () => {
    const chore = idempotencyChore({ database, clock });
    const work = counted();
    await ask(work);
    clock.advance(3 * 24 * HOUR);
    await ask(work, { key: 'later' });
    await chore.tick();
    clock.advance(4 * 24 * HOUR - 1);
    await chore.tick();
    expect(await keys()).toEqual(['k', 'later']);
    await ask(work);
    expect(work.done).toBe(2);
    clock.advance(2);
    await chore.tick();
    expect(await keys()).toEqual(['k', 'later']);
    clock.advance(HOUR);
    await chore.tick();
    expect(await keys()).toEqual(['later']);
    await ask(work);
    expect(work.done).toBe(3);
  });

  it('are forgotten with the next look when this one failed', async () => {
    await ask(counted());
    clock.advance(8 * 24 * HOUR);
    let away = true;
    const chore = idempotencyChore({
      get database() {
        if (away) throw new Error('The database is away.');
        return database;
      },
      clock,
    });
    await expect(chore.tick()).rejects.toThrow('away');
    away = false;
    await chore.tick();
    expect(await keys()).toEqual([]);
  });
});

const HOUR = 3_600_000;
const keys = async () =>
  (await database.sql<{ key: string }[]>`select key from idempotency_keys order by key`).map(
    ({ key }) => key,
  );
