import { describe, expect, test } from 'vitest';
import {
  NotFoundError,
  lookupSchema,
  lookupsResponseSchema,
  type Prediction,
  type PredictionOutput,
  type ServingSpec,
} from '@perennial/contract';
import { DatabaseUnavailableError } from '@perennial/storage';
import { ModeNotServedError, PrecomputedMissingError } from '../errors.ts';
import { OfflinePlatform, type OfflinePlatformOptions } from '../testing/offline-platform.ts';
import { readAll } from '../testing/read-journal.ts';

const OFFLINE: ServingSpec = { modes: ['offline'], precompute: { after: 'request', maxAge: '1h' } };
const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`);
const table = (keys: readonly string[], value: number): Record<string, PredictionOutput> =>
  Object.fromEntries(keys.map((key) => [key, { value }]));

/** Version 1 answers 1 to ten keys. */
async function platformWithTable(options?: OfflinePlatformOptions) {
  const platform = await OfflinePlatform.start(options);
  await platform.serve('m', 1, OFFLINE);
  const id = await platform.precompute('m', 1, table(keysOf(10), 1));
  await platform.use('m', { id, version: 1 });
  return { platform, id };
}

describe('a lookup', () => {
  test('gives the answer with its version and age, as the contract says, and is on record', async () => {
    const { platform } = await platformWithTable();
    platform.served.clock.advance(90_500);
    const found = await platform.lookups.lookup('m', 'k3');
    expect(lookupSchema.parse(found)).toEqual(found);
    expect(found).toMatchObject({
      model: 'm',
      key: 'k3',
      version: 1,
      output: { value: 1 },
      mode: 'precomputed',
      ageSeconds: 90,
      computedAt: '2001-03-04T05:06:07.000Z',
    });
    const [record] = (await readAll(platform.served.journal)).map((each) => JSON.parse(each) as Prediction);
    expect(record).toEqual({
      id: found.id.slice('pred_'.length),
      model: 'm',
      version: 1,
      endpoint: 'm',
      key: 'k3',
      features: { x: 1 },
      output: { value: 1 },
      mode: 'precomputed',
      latencyMicroseconds: record?.latencyMicroseconds,
      at: '2001-03-04T05:07:37.500Z',
    });
    expect(Number.isInteger(record?.latencyMicroseconds)).toBe(true);
  });

  test('is refused where there is nothing to give, with the reason', async () => {
    const { platform } = await platformWithTable();
    const lookup = (model: string, key: string) => platform.lookups.lookup(model, key);
    await expect(lookup('m', 'nobody')).rejects.toThrow("has no answer for 'nobody'");
    await expect(lookup('nothing', 'k1')).rejects.toThrow(NotFoundError);
    await platform.serve('live', 1, { modes: ['online'] });
    await expect(lookup('live', 'k1')).rejects.toThrow(ModeNotServedError);
    await platform.serve('empty', 1, OFFLINE);
    await expect(lookup('empty', 'k1')).rejects.toThrow(PrecomputedMissingError);
    platform.served.clock.advance(3_600_001);
    await expect(lookup('m', 'k1')).rejects.toThrow('older than may be given');
    expect(await platform.lookups.lookupAll('m', ['k1', 'k2'])).toMatchObject({
      predictions: [],
      missing: ['k1', 'k2'],
    });
  });

  test('of many keys lists those without an answer, in order, and gives each one an id', async () => {
    const { platform } = await platformWithTable();
    const keys = ['k9', 'a', 'k0', 'k0', 'b'];
    const found = await platform.lookups.lookupAll('m', keys);
    expect(lookupsResponseSchema.parse(found)).toEqual(found);
    expect(found.predictions.map(({ key }) => key)).toEqual(['k9', 'k0', 'k0']);
    expect(new Set(found.predictions.map(({ id }) => id)).size).toBe(3);
    expect(found.missing).toEqual(['a', 'b']);
    expect(await readAll(platform.served.journal)).toHaveLength(3);
  });

  test('of one turn of the event loop are one question to the database, and the second time none', async () => {
    const { platform } = await platformWithTable();
    const ask = () => Promise.all(keysOf(10).map((key) => platform.lookups.lookup('m', key)));
    const questions = () => platform.answers.counters;
    await ask();
    expect(questions()).toEqual({ hits: 0, misses: 10, questions: 1 });
    await ask();
    expect(questions()).toEqual({ hits: 10, misses: 10, questions: 1 });
    await platform.lookups.lookupAll('m', ['nobody']);
    await platform.lookups.lookupAll('m', ['nobody']);
    expect(questions()).toEqual({ hits: 11, misses: 11, questions: 2 });
  });

  test('is answered from memory while the database is away, and otherwise may be tried again', async () => {
    const { platform } = await platformWithTable();
    await platform.lookups.lookup('m', 'k1');
    await platform.door.shut();
    expect(await platform.lookups.lookup('m', 'k1')).toMatchObject({ output: { value: 1 } });
    await expect(platform.lookups.lookup('m', 'k2')).rejects.toThrow(DatabaseUnavailableError);
    await expect(platform.lookups.lookupAll('m', ['k1', 'k2'])).rejects.toThrow(DatabaseUnavailableError);
    await platform.door.open();
    expect(await platform.lookups.lookup('m', 'k2')).toMatchObject({ output: { value: 1 } });
  });

  test('is put on record as the endpoint says: in part, and without what is left out', async () => {
    const { platform } = await platformWithTable();
    const records = async () =>
      (await readAll(platform.served.journal)).map((each) => JSON.parse(each) as Prediction);
    platform.served.amend('m', { serving: { ...OFFLINE, record: { redact: ['x'] } } });
    await platform.served.table.refresh();
    await platform.lookups.lookup('m', 'k1');
    expect(await records()).toMatchObject([{ key: 'k1', features: {} }]);
    platform.served.amend('m', { serving: { ...OFFLINE, record: { sample: 0.5 } } });
    await platform.served.table.refresh();
    for (let round = 0; round < 20; round++) await platform.lookups.lookupAll('m', keysOf(10));
    const sampled = (await records()).length - 1;
    expect(sampled).toBeGreaterThan(50);
    expect(sampled).toBeLessThan(150);
  });

  test('keeps no more in memory than it may', async () => {
    const { platform } = await platformWithTable({ maxBytes: 1_500 });
    await platform.lookups.lookupAll('m', keysOf(10));
    expect(platform.answers.bytes).toBeGreaterThan(0);
    expect(platform.answers.bytes).toBeLessThanOrEqual(1_500);
    expect((await platform.lookups.lookupAll('m', keysOf(10))).predictions).toHaveLength(10);
  });

  test('forgets what is erased', async () => {
    const { platform } = await platformWithTable();
    await platform.lookups.lookup('m', 'k1');
    await platform.database.sql`delete from precomputed_predictions where key = 'k1'`;
    platform.answers.clear();
    expect(platform.answers.bytes).toBe(0);
    await expect(platform.lookups.lookup('m', 'k1')).rejects.toThrow(PrecomputedMissingError);
  });
});

describe('a switch to another table', () => {
  test('forgets the answers of the one before', async () => {
    const { platform } = await platformWithTable();
    await platform.lookups.lookupAll('m', keysOf(10));
    const id = await platform.precompute('m', 2, table(['k1'], 2));
    await platform.use('m', { id, version: 2 });
    expect(platform.answers.bytes).toBe(0);
    expect(await platform.lookups.lookup('m', 'k1')).toMatchObject({ version: 2, output: { value: 2 } });
    expect((await platform.lookups.lookupAll('m', ['k1', 'k2'])).missing).toEqual(['k2']);
  });

  test('is never seen half: a lookup of 1,000 keys has answers of one version alone', async () => {
    const platform = await OfflinePlatform.start();
    await platform.serve('m', 1, OFFLINE);
    const keys = keysOf(1_000);
    const tables: { id: string; version: number }[] = [];
    for (const version of [1, 2, 3, 4])
      tables.push({ id: await platform.precompute('m', version, table(keys, version)), version });
    const readers: Promise<{ version: number; values: Set<number> }>[] = [];
    const read = async () => {
      const { version, predictions, missing } = await platform.lookups.lookupAll('m', keys);
      expect(missing).toEqual([]);
      return {
        version,
        values: new Set(predictions.map(({ output }) => (output as { value: number }).value)),
      };
    };
    for (let round = 0; round < 12; round++) {
      const next = tables[round % tables.length];
      if (next) await platform.use('m', next);
      readers.push(read(), read());
      // Half of the keys are in memory and half are asked for when the table is switched.
      if (round % 3 === 0) await platform.lookups.lookupAll('m', keys.slice(0, 500));
    }
    const seen = await Promise.all(readers);
    for (const { version, values } of seen) expect([...values]).toEqual([version]);
    expect(new Set(seen.map(({ version }) => version)).size).toBe(4);
  });

  test('whose table before is gone already is looked up in the one that took its place', async () => {
    const { platform, id } = await platformWithTable();
    const next = await platform.precompute('m', 2, table(keysOf(10), 2));
    await platform.database.sql`delete from precomputed_predictions where precomputation = ${id}`;
    const asked = platform.lookups.lookupAll('m', keysOf(10));
    await platform.use('m', { id: next, version: 2 });
    expect(await asked).toMatchObject({ version: 2, missing: [] });
  });
});
