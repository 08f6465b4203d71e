import { expect, test } from 'vitest';
import {
  IdGenerator,
  InvalidRequestError,
  MAX_INSTANCES,
  NotFoundError,
  type Prediction,
} from '@perennial/contract';
import { JournalClosedError } from '../errors.ts';
import { compileRecordPolicy } from '../journal/record-policy.ts';
import { rowId } from '../journal/row-ids.ts';
import { readAll } from '../testing/read-journal.ts';
import { ServedPlatform } from '../testing/served-platform.ts';
import { ColumnPredictor, type ColumnPredictorOptions } from './column-predictions.ts';

async function start(options: Partial<ColumnPredictorOptions> = {}) {
  const platform = await ServedPlatform.start();
  platform.promote('m', 1);
  platform.promote('m', 2);
  await platform.table.refresh();
  const { models, journal, clock } = platform;
  const predictor = new ColumnPredictor({ models, journal, ids: new IdGenerator(clock), clock, ...options });
  return { platform, predictor };
}

const read = (x: Float64Array, keys?: string[]) => () => ({
  batch: { rows: x.length, columns: { x } },
  keys,
});

const recorded = async (platform: ServedPlatform) =>
  (await readAll(platform.journal)).map((record) => JSON.parse(record) as Prediction);

test('columns of the most rows allowed are answered in order, by the champion, and on record row by row', async () => {
  const { platform, predictor } = await start();
  const x = Float64Array.from({ length: MAX_INSTANCES }, (_, row) => row);
  const answer = await predictor.predict({ model: 'm', read: read(x) });
  expect(answer).toMatchObject({ model: 'm', version: 2, rows: MAX_INSTANCES });
  expect(answer.output).toEqual({ kind: 'regression', value: Float32Array.from(x, (value) => value + 2) });
  const records = await recorded(platform);
  expect(records).toHaveLength(MAX_INSTANCES);
  expect(
    records.every(({ id, features }, row) => id === rowId(answer.firstId, row) && features['x'] === row),
  ).toBe(true);
});

test('a version is asked for by its number', async () => {
  const { predictor } = await start();
  const answer = await predictor.predict({ model: 'm', version: 1, read: read(Float64Array.of(1)) });
  expect(answer).toMatchObject({ version: 1, output: { value: Float32Array.of(2) } });
  await expect(predictor.predict({ model: 'm', version: 9, read: read(Float64Array.of(1)) })).rejects.toThrow(
    NotFoundError,
  );
});

test('what is on record is what the policy keeps', async () => {
  const policy = compileRecordPolicy({ redact: ['x'] });
  const { platform, predictor } = await start({ policyOf: () => policy });
  await predictor.predict({ model: 'm', read: read(Float64Array.of(1, 2), ['a', 'b']) });
  expect((await recorded(platform)).map(({ key, features }) => [key, features])).toEqual([
    ['a', {}],
    ['b', {}],
  ]);
});

test('no rows, too many, and keys for others are refused, and so is what cannot be on record', async () => {
  const { platform, predictor } = await start();
  const ask = (rows: number, keys?: string[]) =>
    predictor.predict({ model: 'm', read: read(new Float64Array(rows), keys) });
  await expect(ask(0)).rejects.toThrow(InvalidRequestError);
  await expect(ask(MAX_INSTANCES + 1)).rejects.toThrow(InvalidRequestError);
  await expect(ask(2, ['a'])).rejects.toThrow(InvalidRequestError);
  expect(await recorded(platform)).toEqual([]);
  await platform.journal.close();
  await expect(ask(1)).rejects.toThrow(JournalClosedError);
});
