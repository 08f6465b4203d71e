import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { idempotencyKeys, models } from './schema.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

async function writeResponse(key: string, response: unknown) {
  const { orm } = test.database;
  const row = { caller: 'test', key, requestDigest: 'd', response, createdAt: new Date(0) };
  await orm
    .insert(idempotencyKeys)
    .values(row)
    .onConflictDoUpdate({
      target: [idempotencyKeys.caller, idempotencyKeys.key],
      set: { response: sql`excluded.response` },
    });
}

async function readResponse(key: string) {
  const [row] = await test.database.orm
    .select({
      response: idempotencyKeys.response,
      type: sql<string>`jsonb_typeof(${idempotencyKeys.response})`,
    })
    .from(idempotencyKeys)
    .where(eq(idempotencyKeys.key, key));
  return row;
}

describe('a jsonb column', () => {
  it.each([
    ['object', { a: [1, { b: null }] }],
    ['array', [1, '2', [true]]],
    ['string', 'text'],
    ['string', '123'],
    ['string', 'true'],
    ['string', 'null'],
    ['string', '{"a":1}'],
    ['number', 1.5],
    ['boolean', false],
  ])('stores a value of type %s as itself and gives it back (%j)', async (type, value) => {
    await writeResponse('typed', value);
    expect(await readResponse('typed')).toEqual({ response: value, type });
  });

  it('gives back whatever JSON was put in', async () => {
    const value = fc
      .jsonValue({ noUnicodeString: false })
      .filter((json) => json !== null && !JSON.stringify(json).includes('\\u0000'))
      // `JSON.parse` of Node 24 and 26 mistakes other keys for one with a backslash that it has read before (nodejs/node#63785).
      .filter((json) => !/\\\\(?:[^"\\]|\\.)*":/.test(JSON.stringify(json)));
    await fc.assert(
      fc.asyncProperty(value, async (json) => {
        await writeResponse('any', json);
        expect((await readResponse('any'))?.response).toEqual(JSON.parse(JSON.stringify(json)));
      }),
      { numRuns: 60 },
    );
  });

  it('is written as an object by plain sql too', async () => {
    const { sql: plain } = test.database;
    const [row] =
      await plain`select jsonb_typeof(${plain.json({ a: 1 })}::jsonb) as type, ${plain.json(['1'])}::jsonb as value`;
    expect(row).toEqual({ type: 'object', value: ['1'] });
  });
});

describe('times', () => {
  it('are instants through drizzle and through plain sql, and days are texts', async () => {
    const createdAt = new Date('2001-02-03T04:05:06.789Z');
    await test.database.orm.insert(models).values({ name: 'clock', createdAt, latestVersion: 0 });
    const [row] = await test.database.orm.select().from(models).where(eq(models.name, 'clock'));
    expect(row?.createdAt).toEqual(createdAt);
    const [plain] = await test.database.sql`
      select created_at, created_at::date as day, ${createdAt} = created_at as same, array[created_at] as list from models where name = 'clock'`;
    expect(plain).toEqual({ created_at: createdAt, day: '2001-02-03', same: true, list: [createdAt] });
  });
});

describe('listening', () => {
  it('hears notifications until it is stopped', async () => {
    const heard: string[] = [];
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const listener = await test.database.listen('news', (payload) => {
      heard.push(payload);
      if (payload === 'two') arrive();
    });
    await test.database.sql.notify('news', 'one');
    await test.database.sql.notify('news', 'two');
    await arrived;
    expect(heard).toEqual(['one', 'two']);
    await listener.stop();
  });
});
