import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock, formatId, parseId, reproductionSchema } from '@perennial/contract';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import {
  beginReproduction,
  createReproduction,
  endReproduction,
  getReproduction,
  type NewReproduction,
} from './reproductions.ts';

const clock = new ManualClock('2001-02-01T00:00:00Z');
const ids = new IdGenerator(clock);
let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
  await test.database.sql`insert into models (name, created_at, latest_version) values ('visits', now(), 1)`;
  await test.database.sql`
    insert into model_versions (model, version, artifact_digest, artifact_bytes, signature, lineage, gate, card, as_of, created_at)
    values ('visits', 1, 'sha256:0', 1, '{}', '{}', '{}', '{}', now(), now())`;
});
afterAll(() => test.drop());

const request = (): NewReproduction => ({
  id: ids.next(),
  model: 'visits',
  version: 1,
  requestedBy: 'admin',
  createdAt: clock.now(),
});
const jobs = async (id: string): Promise<number> => {
  const rows = await test.database.sql`
    select 1 from graphile_worker.jobs where key = ${`reproduction.execute:${id}`}`;
  return rows.length;
};

describe('a reproduction', () => {
  it('is on record with its job, and neither is there when the transaction fails', async () => {
    const asked = request();
    const made = await transaction(test.database, (tx) => createReproduction(tx, asked));
    expect(reproductionSchema.parse(made)).toEqual(made);
    expect(made).toMatchObject({ state: 'queued', differences: [], error: null, endedAt: null });
    expect(await getReproduction(test.database.orm, asked.id)).toEqual(made);
    expect(await jobs(asked.id)).toBe(1);

    const lost = request();
    const failing = transaction(test.database, async (tx) => {
      await createReproduction(tx, lost);
      throw new Error('something else in the transaction');
    });
    await expect(failing).rejects.toThrow('something else');
    expect(await jobs(lost.id)).toBe(0);
    await expect(getReproduction(test.database.orm, lost.id)).rejects.toMatchObject({
      code: 'reproduction-not-found',
    });
  });

  it('of a version that there is not is refused', async () => {
    const asked = transaction(test.database, (tx) => createReproduction(tx, { ...request(), version: 9 }));
    await expect(asked).rejects.toThrow();
  });

  it('is ended once, by whoever is first', async () => {
    const { id } = await transaction(test.database, (tx) => createReproduction(tx, request()));
    const plain = parseId('reproduction', id);
    const db = test.database.orm;
    expect(await beginReproduction(db, plain)).toBe(true);
    expect(await beginReproduction(db, plain)).toBe(true);
    expect(await getReproduction(db, plain)).toMatchObject({ id, state: 'running' });
    const differences = [{ what: 'artifact', recorded: 'a', found: 'b' }];
    const endedAt = clock.now();
    expect(await endReproduction(db, plain, { state: 'different', differences, endedAt })).toBe(true);
    expect(await endReproduction(db, plain, { state: 'identical', endedAt })).toBe(false);
    expect(await beginReproduction(db, plain)).toBe(false);
    expect(await getReproduction(db, plain)).toEqual({
      id: formatId('reproduction', plain),
      model: 'visits',
      version: 1,
      state: 'different',
      differences,
      error: null,
      requestedBy: 'admin',
      createdAt: clock.now().toISOString(),
      endedAt: clock.now().toISOString(),
    });
  });
});
