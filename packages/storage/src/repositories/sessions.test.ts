import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import {
  deleteExpiredSessions,
  endSession,
  findSession,
  insertSession,
  type StoredSession,
} from './sessions.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const openedAt = new Date('2024-03-11T03:00:00Z');
const expiresAt = new Date('2024-03-11T15:00:00Z');
const before = new Date(expiresAt.getTime() - 1);

async function open(hash: string): Promise<StoredSession> {
  const session: StoredSession = {
    hash,
    principal: 'user:ada@example.org',
    roles: ['approver'],
    models: null,
    tokenHash: null,
    openedAt,
    expiresAt,
  };
  await insertSession(test.database.orm, session);
  return session;
}

it('a session is there until it expires', async () => {
  const session = await open('a');
  expect(await findSession(test.database.orm, 'a', before)).toMatchObject(session);
  expect(await findSession(test.database.orm, 'a', expiresAt)).toBeUndefined();
  expect(await findSession(test.database.orm, 'unknown', before)).toBeUndefined();
});

it('a session that was ended is not there, and ends once', async () => {
  await open('b');
  expect(await endSession(test.database.orm, 'b', openedAt)).toBe(true);
  expect(await endSession(test.database.orm, 'b', openedAt)).toBe(false);
  expect(await findSession(test.database.orm, 'b', before)).toBeUndefined();
});

it('only expired sessions are forgotten', async () => {
  await open('c');
  await deleteExpiredSessions(test.database.orm, expiresAt);
  expect(await findSession(test.database.orm, 'c', before)).toBeDefined();
  await deleteExpiredSessions(test.database.orm, new Date(expiresAt.getTime() + 1));
  expect(await findSession(test.database.orm, 'c', before)).toBeUndefined();
});
