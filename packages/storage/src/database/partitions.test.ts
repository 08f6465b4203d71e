import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock } from '@perennial/contract';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { ensurePredictionPartitions, predictionPartition, smallestUuidAt } from './partitions.ts';
import { predictions } from './schema.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const clock = new ManualClock('2001-01-01T00:00:00Z');
const ids = new IdGenerator(clock);

async function insertAt(instant: string): Promise<string> {
  clock.set(instant);
  const id = ids.next();
  await test.database.orm.insert(predictions).values({
    id,
    model: 'flight-delay',
    version: 1,
    endpoint: 'flight-delay',
    features: { distance: 1 },
    output: { probability: 0.5, decision: true },
    mode: 'live',
    latencyMicroseconds: 1,
    at: clock.now(),
  });
  return id;
}

async function partitionOf(id: string): Promise<string | undefined> {
  const [row] = await test.database
    .sql`select tableoid::regclass::text as name from predictions where id = ${id}`;
  return row?.['name'] as string | undefined;
}

describe('partitions of predictions', () => {
  it('hold each day from its first millisecond to its last', async () => {
    await ensurePredictionPartitions(test.database.sql, ['2001-03-04', '2001-03-05']);
    const first = await insertAt('2001-03-04T00:00:00.000Z');
    const last = await insertAt('2001-03-04T23:59:59.999Z');
    const next = await insertAt('2001-03-05T00:00:00.000Z');
    expect([await partitionOf(first), await partitionOf(last), await partitionOf(next)]).toEqual([
      'predictions_20010304',
      'predictions_20010304',
      'predictions_20010305',
    ]);
  });

  it('are made once, and only where they are missing', async () => {
    expect(
      await ensurePredictionPartitions(test.database.sql, ['2002-01-02', '2002-01-01', '2002-01-02']),
    ).toEqual(['2002-01-01', '2002-01-02']);
    expect(await ensurePredictionPartitions(test.database.sql, ['2002-01-01', '2002-01-03'])).toEqual([
      '2002-01-03',
    ]);
    expect(await ensurePredictionPartitions(test.database.sql, [])).toEqual([]);
  });

  it('are made once by many that begin at the same time', async () => {
    const days = ['2003-01-01', '2003-01-02', '2003-01-03'];
    const made = await Promise.all(
      Array.from({ length: 5 }, () => ensurePredictionPartitions(test.database.sql, days)),
    );
    expect(made.flat().sort()).toEqual(days);
  });

  it('have the indexes and the primary key of the whole', async () => {
    await ensurePredictionPartitions(test.database.sql, ['2004-01-01']);
    const counted = await test.database.sql`
      select count(*)::int as indexes, count(*) filter (where indisprimary)::int as keys from pg_index
      where indrelid = any(array['predictions', ${predictionPartition('2004-01-01')}]::regclass[]) group by indrelid`;
    expect(counted).toEqual([
      { indexes: 3, keys: 1 },
      { indexes: 3, keys: 1 },
    ]);
  });

  it.each(['2001-02-30', '2001-1-1', '', "2001-01-01'; drop table predictions; --"])(
    'are not made for %j',
    async (day) => {
      await expect(ensurePredictionPartitions(test.database.sql, [day])).rejects.toBeInstanceOf(RangeError);
    },
  );

  it('are the only ones that a query bounded by id reads', async () => {
    await ensurePredictionPartitions(test.database.sql, ['2005-01-01', '2005-01-02']);
    const [from, to] = ['2005-01-01', '2005-01-02'].map((day) =>
      smallestUuidAt(new Date(`${day}T00:00:00Z`)),
    );
    const plan = await test.database.sql.unsafe(
      `explain select * from predictions where id >= '${from}' and id < '${to}'`,
    );
    const text = plan.map((row) => String(row['QUERY PLAN'])).join('\n');
    expect(text).toContain('predictions_20050101');
    expect(text).not.toContain('predictions_20050102');
  });
});

describe('the smallest UUID of an instant', () => {
  it('is below every id made then or later, and above every earlier one', () => {
    const instant = fc.integer({ min: 20_000, max: 4_102_444_800_000 });
    fc.assert(
      fc.property(instant, (time) => {
        const bound = smallestUuidAt(new Date(time));
        expect(new IdGenerator(new ManualClock(new Date(time))).next() > bound).toBe(true);
        expect(new IdGenerator(new ManualClock(new Date(time - 1))).next() < bound).toBe(true);
      }),
    );
  });
});
