import { expect, test } from 'vitest';
import { parseId, type Prediction, type RecordSpec } from '@perennial/contract';
import { compileRecordPolicy } from '../journal/record-policy.ts';
import { readAll } from '../testing/read-journal.ts';
import { ServedPlatform } from '../testing/served-platform.ts';

/** What is on record of a request of so many rows, under a specification, and the ids that were answered. */
async function record(spec: RecordSpec, rows = 1) {
  const policy = compileRecordPolicy(spec);
  const platform = await ServedPlatform.start({ policyOf: () => policy });
  platform.promote('m', 1);
  await platform.table.refresh();
  const instances = Array.from({ length: rows }, (_, x) => ({ x }));
  const { predictions } = await platform.service.predict({ model: 'm', request: { instances } });
  const records = (await readAll(platform.journal)).map((text) => JSON.parse(text) as Prediction);
  return {
    answered: predictions.map(({ id }) => parseId('prediction', id)),
    records,
    counters: platform.journal.counters,
  };
}

test('a sample of the predictions is on record, and every one has its answer and id', async () => {
  const { answered, records } = await record({ sample: 0.5 }, 200);
  expect(new Set(answered).size).toBe(200);
  const { keeps } = compileRecordPolicy({ sample: 0.5 });
  expect(records.map(({ id }) => id)).toEqual(answered.filter(keeps));
  expect(records.length).toBeGreaterThan(50);
  expect(records.length).toBeLessThan(150);
});

test('a redacted column is not on record', async () => {
  const { records } = await record({ redact: ['x'] });
  expect(records[0]).toMatchObject({ features: {}, output: { value: 1 } });
});

test('an endpoint that wants the disk has it in a journal that does not sync by itself', async () => {
  expect((await record({})).counters).toMatchObject({ records: 1, syncs: 0 });
  expect((await record({ durability: 'disk' })).counters).toMatchObject({ records: 1, syncs: 1 });
});
