import { DAY_MILLISECONDS, IdGenerator, ManualClock } from '@perennial/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../database/connection.ts';
import { ensurePredictionPartitions } from '../database/partitions.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { predictedKeys } from './predictions.ts';

const NOW = new Date('2024-06-15T12:00:00Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MILLISECONDS);

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  database = test.database;
});
afterAll(() => test.drop());

async function predicted(model: string, key: string | null, at: Date): Promise<void> {
  await ensurePredictionPartitions(database.sql, [at.toISOString().slice(0, 10)]);
  const id = new IdGenerator(new ManualClock(at)).next();
  await database.sql`
    insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
    values (${id}, ${model}, 1, ${model}, ${key}, '{}', '{"value":1}', 'live', 1, ${at.toISOString()})`;
}

const ask = async (...keys: string[]) =>
  [...(await predictedKeys(database.orm, { model: 'm', keys, now: NOW }))].sort();

describe('the keys that have had a prediction', () => {
  beforeAll(async () => {
    await predicted('m', 'today', NOW);
    await predicted('m', 'border', daysAgo(2));
    await predicted('m', 'week', daysAgo(7));
    await predicted('m', 'month', daysAgo(30));
    await predicted('m', 'year', daysAgo(365));
    await predicted('m', 'again', NOW);
    await predicted('m', 'again', daysAgo(365));
    await predicted('m', 'tomorrow', daysAgo(-1));
    await predicted('m', null, NOW);
    await predicted('other', 'theirs', NOW);
  });

  it('are found however long ago it was', async () => {
    const keys = ['today', 'border', 'week', 'month', 'year', 'again', 'tomorrow'];
    expect(await ask(...keys)).toEqual([...keys].sort());
    for (const key of keys) expect(await ask(key, 'none')).toEqual([key]);
  });

  it('are those of the model', async () => {
    expect(await ask('theirs', 'none')).toEqual([]);
    expect(await ask()).toEqual([]);
  });

  it('may be more than one statement takes', async () => {
    const many = Array.from({ length: 12_000 }, (_, i) => `none ${i}`);
    expect(await ask(...many, 'year', 'today')).toEqual(['today', 'year']);
  });
});
