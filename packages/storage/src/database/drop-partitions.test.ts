import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock } from '@perennial/contract';
import { deleteGroundTruthBefore } from '../repositories/personal-data.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import {
  dropPredictionPartition,
  ensurePredictionPartitions,
  listPredictionPartitions,
  predictionIdsOf,
} from './partitions.ts';
import { groundTruth, predictions } from './schema.ts';
import { transaction } from './transaction.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const clock = new ManualClock('2001-01-01T00:00:00Z');
const ids = new IdGenerator(clock);

/** A prediction of that day, and a fact about it. */
async function predict(day: string): Promise<string> {
  clock.set(`${day}T12:00:00Z`);
  const id = ids.next();
  const [at, model] = [clock.now(), 'm'];
  await ensurePredictionPartitions(test.database.sql, [day]);
  const answer = { features: {}, output: { value: 1 }, mode: 'live' as const, latencyMicroseconds: 1 };
  await test.database.orm.insert(predictions).values({ id, model, version: 1, endpoint: 'm', at, ...answer });
  const told = { predictionId: id, label: 1, observedAt: at, receivedAt: at, receivedBy: 'x' };
  await test.database.orm.insert(groundTruth).values({ id: ids.next(), model, ...told });
  return id;
}

const days = async () => (await listPredictionPartitions(test.database.orm)).map(({ day }) => day);
const drop = (day: string) => transaction(test.database, (tx) => dropPredictionPartition(tx, day));

describe('the partitions of predictions', () => {
  it('are listed by day with their rows and bytes', async () => {
    await predict('2006-01-02');
    await predict('2006-01-01');
    await predict('2006-01-02');
    const [first, second] = await listPredictionPartitions(test.database.orm);
    expect([first, second]).toMatchObject([
      { day: '2006-01-01', rows: 1 },
      { day: '2006-01-02', rows: 2 },
    ]);
    expect(first?.bytes).toBeGreaterThan(0);
  });

  it('are dropped whole, once, and made again when a record of the day comes late', async () => {
    await predict('2007-01-01');
    await predict('2007-01-02');
    expect(await drop('2007-01-01')).toBe(true);
    expect(await drop('2007-01-01')).toBe(false);
    expect(await days()).not.toContain('2007-01-01');
    expect(await days()).toContain('2007-01-02');
    await predict('2007-01-01');
    expect(await days()).toContain('2007-01-01');
  });

  it.each(['2001-02-30', "2001-01-01'; drop table predictions; --"])(
    'are not dropped for %j',
    async (day) => {
      await expect(drop(day)).rejects.toBeInstanceOf(RangeError);
    },
  );

  it('stay when somebody reads them all the time', async () => {
    await predict('2008-01-01');
    await test.database.sql.begin(async (reader) => {
      await reader`select count(*) from predictions`;
      const dropped = transaction(test.database, (tx) => dropPredictionPartition(tx, '2008-01-01'), {
        attempts: 1,
      });
      await expect(dropped).rejects.toMatchObject({ sqlState: '55P03' });
    });
    expect(await days()).toContain('2008-01-01');
  });
});

describe('facts about predictions', () => {
  it('that are gone are deleted by the time in the id, some at a time', async () => {
    await test.database.sql`truncate ground_truth`;
    for (const day of ['2009-01-01', '2009-01-01', '2009-01-02']) await predict(day);
    const { from, to } = predictionIdsOf('2009-01-01');
    expect(await deleteGroundTruthBefore(test.database.orm, from, 10)).toBe(0);
    expect(await deleteGroundTruthBefore(test.database.orm, to, 1)).toBe(1);
    expect(await deleteGroundTruthBefore(test.database.orm, to, 10)).toBe(1);
    expect(await test.database.sql`select count(*)::int as left from ground_truth`).toEqual([{ left: 1 }]);
  });
});
