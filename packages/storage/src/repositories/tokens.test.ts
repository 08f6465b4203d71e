import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock, formatId } from '@perennial/contract';
import { transaction } from '../database/transaction.ts';
import { UniqueViolationError } from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import {
  TOKENS_CHANGED_CHANNEL,
  insertToken,
  listLiveTokens,
  listTokens,
  recordTokenUse,
  revokeToken,
  type NewToken,
} from './tokens.ts';

const clock = new ManualClock('2024-03-11T03:00:00Z');
const ids = new IdGenerator(clock);
let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const create = (given: Partial<NewToken>) => {
  const id = ids.next();
  const token: NewToken = {
    id,
    name: id,
    hash: id,
    roles: ['viewer'],
    models: null,
    requestsPerMinute: null,
    createdBy: 'token:admin',
    createdAt: clock.now(),
    expiresAt: null,
    ...given,
  };
  return transaction(test.database, async (tx) => ({ id, token: await insertToken(tx, token) }));
};
const revoke = (id: string) => transaction(test.database, (tx) => revokeToken(tx, id, clock.now()));
const live = async () => (await listLiveTokens(test.database.orm, clock.now())).map(({ name }) => name);

describe('the name of a token', () => {
  it('is one live token’s own', async () => {
    await create({ name: 'airline app' });
    await expect(create({ name: 'airline app' })).rejects.toThrow(UniqueViolationError);
  });

  it('is free again once the token is revoked', async () => {
    const { id } = await create({ name: 'nightly' });
    await revoke(id);
    await create({ name: 'nightly' });
    expect((await live()).filter((name) => name === 'nightly')).toHaveLength(1);
  });

  it('is given up by a token that has expired', async () => {
    const { token } = await create({ name: 'short', expiresAt: new Date('2024-03-11T03:00:01Z') });
    clock.advance(1_000);
    await create({ name: 'short' });
    const { items } = await listTokens(test.database.orm, { limit: 500 });
    const first = items.find(({ id }) => id === token.id);
    expect(first?.revokedAt).toBe('2024-03-11T03:00:01.000Z');
  });
});

describe('a live token', () => {
  it('is neither revoked nor expired', async () => {
    await create({ name: 'stays' });
    const { id } = await create({ name: 'revoked' });
    await create({ name: 'expired', expiresAt: clock.now() });
    await create({ name: 'expires', expiresAt: new Date(clock.now().getTime() + 1) });
    await revoke(id);
    const names = await live();
    expect(names).toEqual(expect.arrayContaining(['stays', 'expires']));
    expect(names).not.toContain('revoked');
    expect(names).not.toContain('expired');
  });

  it('comes with all that tells who is asking', async () => {
    await create({ name: 'whole', hash: 'h', roles: ['operator'], models: ['m'], requestsPerMinute: 7 });
    const tokens = await listLiveTokens(test.database.orm, clock.now());
    expect(tokens.find(({ name }) => name === 'whole')).toEqual({
      id: expect.any(String) as string,
      name: 'whole',
      hash: 'h',
      roles: ['operator'],
      models: ['m'],
      requestsPerMinute: 7,
      expiresAt: null,
    });
  });
});

describe('revoking', () => {
  it('keeps the instant of the first time', async () => {
    const { id } = await create({});
    const { token, revoked } = await revoke(id);
    clock.advance(60_000);
    expect(revoked).toBe(true);
    expect(await revoke(id)).toEqual({ token, revoked: false });
  });

  it('of a token that is not there says so', async () => {
    const id = ids.next();
    await expect(revoke(id)).rejects.toThrow(`There is no token '${formatId('token', id)}'.`);
  });
});

it('every server hears of a token that is made or revoked', async () => {
  let heard = 0;
  const waiting: (() => void)[] = [];
  const listener = await test.database.listen(TOKENS_CHANGED_CHANNEL, () => {
    heard++;
    waiting.shift()?.();
  });
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  const first = next();
  const { id } = await create({});
  await first;
  const second = next();
  await revoke(id);
  await second;
  await listener.stop();
  expect(heard).toBe(2);
});

it('the last use is kept, and never put back', async () => {
  const { id } = await create({});
  const at = new Date('2024-03-11T04:00:00Z');
  const earlier = new Date('2024-03-11T03:30:00Z');
  await recordTokenUse(test.database.orm, [{ id, at }]);
  await recordTokenUse(test.database.orm, [{ id, at: earlier }]);
  const { items } = await listTokens(test.database.orm, { limit: 1 });
  expect(items[0]?.lastUsedAt).toBe(at.toISOString());
});

it('the list goes on where it stopped', async () => {
  const first = await listTokens(test.database.orm, { limit: 2 });
  const second = await listTokens(test.database.orm, { limit: 2, cursor: first.nextCursor ?? '' });
  const all = await listTokens(test.database.orm, { limit: 4 });
  expect([...first.items, ...second.items]).toEqual(all.items);
});
