import {
  PipelineInvalidError,
  between,
  categorical,
  matches,
  multiclass,
  notNull,
  numeric,
  oneOf,
  predicate,
  regression,
  notWorse,
  rowCount,
  timestamp,
  unique,
  type ExpectationOn,
} from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataInvalidError } from './errors.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

/** TRIPS with the values of some rows replaced: `{ 3: { delay: 'NULL' } }`. */
function tripsWith(changes: Record<number, Record<string, string>>): string {
  const columns = [...new Set(Object.values(changes).flatMap((change) => Object.keys(change)))];
  const replaced = columns.map((column) => {
    const cases = Object.entries(changes).flatMap(([id, change]) =>
      change[column] === undefined ? [] : [`WHEN id = ${id} THEN ${change[column]}`],
    );
    return `CASE ${cases.join(' ')} ELSE "${column}" END AS "${column}"`;
  });
  return `SELECT * REPLACE (${replaced.join(', ')}) FROM (${TRIPS})`;
}

async function quarantineOf(rows: string, expectations: ExpectationOn[]) {
  await shop.write('trips.parquet', rows);
  const { card, manifest } = await shop.build(tripsSpec({}, { expectations, key: 'id' }));
  const kept =
    card.quarantine.digest === undefined
      ? []
      : await shop.rows(card.quarantine.digest, 'SELECT id, __reason FROM file ORDER BY id');
  return { ...card.quarantine, kept, train: manifest.splits.train.rows };
}

describe('expectations', () => {
  it('let good rows pass', async () => {
    const { rows, reasons, digest, train } = await quarantineOf(TRIPS, [
      notNull('origin'),
      between('distance', 100, 600),
      oneOf('origin', ['ATL', 'ORD', 'LAX']),
      matches('origin', '[A-Z]{3}'),
      unique('id'),
      rowCount({ min: 240, max: 240 }),
      predicate('delayed less than an hour', 'delay < 60'),
    ]);
    expect({ rows, reasons, digest, train }).toEqual({ rows: 0, reasons: [], digest: undefined, train: 168 });
  });

  it.each([
    [notNull('origin'), { origin: 'NULL' }, 'origin is not null'],
    [between('distance', 100, 600), { distance: '99.9' }, 'distance is between 100 and 600'],
    [between('distance', 100), { distance: '99' }, 'distance is at least 100'],
    [between('distance', undefined, 600), { distance: '600.5' }, 'distance is at most 600'],
    [between('distance', 100), { distance: 'NULL' }, 'distance is at least 100'],
    [between('distance', 100), { distance: `'NaN'::DOUBLE` }, 'distance is at least 100'],
    [oneOf('origin', ['ATL', 'ORD', 'LAX']), { origin: `'atl'` }, 'origin is one of ATL, ORD, LAX'],
    [
      oneOf(
        'delay',
        Array.from({ length: 30 }, (_, i) => i),
      ),
      { delay: '30' },
      'delay is one of 0, 1, 2, 3, 4, 5, 6, 7 and 22 more',
    ],
    [matches('origin', '[A-Z]{3}'), { origin: `'ATLX'` }, 'origin matches [A-Z]{3}'],
    [matches('origin', '[A-Z]{3}'), { origin: 'NULL' }, 'origin matches [A-Z]{3}'],
    [predicate('delay is whole', 'delay % 1 = 0 -- always'), { delay: 'NULL' }, 'delay is whole'],
    [unique('id', 'origin'), { id: '9', origin: `'ORD'` }, 'id and origin name one row'],
  ])('send a row to quarantine: %j', async (expectation, change, reason) => {
    const { rows, reasons, kept, train } = await quarantineOf(tripsWith({ 10: change }), [expectation]);
    expect(train).toBe(167);
    expect(rows).toBe(1);
    expect(reasons).toContainEqual({ reason, rows: 1 });
    expect(kept[0]?.['__reason']).toContain(reason);
  });

  it('give a row all its reasons, and count it under each', async () => {
    const { rows, reasons, kept } = await quarantineOf(
      tripsWith({ 3: { distance: '5', origin: 'NULL' }, 4: { origin: 'NULL' } }),
      [between('distance', 100), notNull('origin')],
    );
    expect(rows).toBe(2);
    expect(reasons).toEqual([
      { reason: 'origin is not null', rows: 2 },
      { reason: 'distance is at least 100', rows: 1 },
    ]);
    expect(kept).toEqual([
      { id: '3', __reason: 'distance is at least 100; origin is not null' },
      { id: '4', __reason: 'origin is not null' },
    ]);
  });

  it('keep the first of repeated rows, and a good one rather than a broken one', async () => {
    const rows = tripsWith({ 3: { id: '100' }, 7: { id: '100' }, 20: { id: '30', distance: '1' } });
    const { kept } = await quarantineOf(rows, [unique('id'), between('distance', 100)]);
    // 3 came first and stays; 7 and 100 repeat it. 20 is broken anyway and does not take the place of 30.
    expect(kept).toEqual([
      { id: '30', __reason: 'distance is at least 100; id names one row' },
      { id: '100', __reason: 'id names one row' },
      { id: '100', __reason: 'id names one row' },
    ]);
  });

  it('do not take missing values for repeated ones', async () => {
    const { rows } = await quarantineOf(tripsWith({ 3: { origin: 'NULL' }, 4: { origin: 'NULL' } }), [
      unique('origin', 'id'),
    ]);
    expect(rows).toBe(0);
  });

  it('fail the build when the window has too few or too many rows', async () => {
    await shop.write('trips.parquet', TRIPS);
    for (const [limits, problem] of [
      [{ min: 241 }, 'the window has 240 rows, but must have at least 241'],
      [{ max: 239 }, 'the window has 240 rows, but must have at most 239'],
    ] as const) {
      const error = await shop
        .build(tripsSpec({}, { expectations: [rowCount(limits)] }))
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(DataInvalidError);
      expect((error as DataInvalidError).details).toEqual({
        pipeline: 'trips',
        field: 'data.expectations[0]',
        problem,
      });
    }
  });

  it.each([
    [matches('origin', '(?=look)'), 'data.expectations[0].pattern', 'is not a regular expression'],
    [
      oneOf('origin', ['ATL', 7]),
      'data.expectations[0].values[1]',
      "must be a string, as the column 'origin' is",
    ],
    [predicate('x', 'dellay > 3'), 'data.expectations[0].sql', 'Referenced column "dellay" not found'],
    [
      predicate('x', 'delay + 1'),
      'data.expectations[0].sql',
      'must be true or false, but is of the type INTEGER',
    ],
  ])('are refused by field when they cannot be checked: %j', async (expectation, path, message) => {
    await shop.write('trips.parquet', TRIPS);
    const error = await shop.build(tripsSpec({}, { expectations: [expectation] })).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PipelineInvalidError);
    const [issue] = (error as PipelineInvalidError).issues;
    expect(issue?.path).toBe(path);
    expect(issue?.message).toContain(message);
  });
});

describe('rows without what every row needs', () => {
  it('go to quarantine: no time', async () => {
    const { kept, train } = await quarantineOf(tripsWith({ 5: { at: 'NULL' } }), []);
    expect(kept).toEqual([{ id: '5', __reason: 'at is a time' }]);
    expect(train).toBe(167);
  });

  it('go to quarantine: text that is no time', async () => {
    const rows = `SELECT * REPLACE (CASE WHEN id = 5 THEN 'yesterday' ELSE CAST("at" AS VARCHAR) END AS "at") FROM (${TRIPS})`;
    expect((await quarantineOf(rows, [])).kept).toEqual([{ id: '5', __reason: 'at is a time' }]);
  });

  it('go to quarantine: a feature’s text that is no time', async () => {
    await shop.write(
      'trips.parquet',
      `SELECT *, CASE WHEN id = 5 THEN 'noon' WHEN id = 6 THEN NULL ELSE '2024-02-03T04:05:06Z' END AS booked FROM (${TRIPS})`,
    );
    const { card, manifest } = await shop.build(tripsSpec({ features: { booked: timestamp() } }));
    expect(manifest.encoder.columns).toEqual([{ name: 'booked', type: 'timestamp' }]);
    expect(card.quarantine.reasons).toEqual([{ reason: 'booked is a time', rows: 1 }]);
  });

  it('go to quarantine: no label, or one that is neither 0 nor 1', async () => {
    await shop.write('trips.parquet', tripsWith({ 5: { delay: 'NULL' }, 6: { delay: '2' } }));
    const label = {
      kind: 'binary',
      name: 'late',
      from: 'CASE WHEN delay = 2 AND id = 6 THEN 2 ELSE CAST(delay > 14 AS INTEGER) END',
      threshold: 0.5,
    } as const;
    const { card } = await shop.build(tripsSpec({ label }));
    expect(card.quarantine.reasons).toEqual([
      { reason: 'late has a value', rows: 1 },
      { reason: 'late is 0 or 1', rows: 1 },
    ]);
  });

  it('go to quarantine: a number that is none, as label of a regression', async () => {
    await shop.write('trips.parquet', tripsWith({ 5: { distance: `'Infinity'::DOUBLE` } }));
    const validate = { gate: notWorse({ metric: 'rmse', margin: 1 }) };
    const { card } = await shop.build(
      tripsSpec({
        label: regression('far', { from: 'distance' }),
        validate,
        features: { delay: numeric() },
      }),
    );
    expect(card.quarantine.reasons).toEqual([{ reason: 'far has a value', rows: 1 }]);
  });

  it('go to quarantine: a class that the training rows do not have, or that the author did not name', async () => {
    const validate = { gate: notWorse({ metric: 'accuracy', margin: 0.5 }) };
    await shop.write('trips.parquet', tripsWith({ 200: { origin: `'JFK'` } }));
    const free = await shop.build(tripsSpec({ label: multiclass('from', { from: 'origin' }), validate }));
    expect(free.manifest.label).toEqual({ kind: 'multiclass', name: 'from', classes: ['ATL', 'LAX', 'ORD'] });
    expect(free.card.quarantine.reasons).toEqual([
      { reason: 'from is one of the classes ATL, LAX, ORD (of the training rows)', rows: 1 },
    ]);
    const label = multiclass('from', { from: 'origin', classes: ['LAX', 'ATL'] });
    const named = await shop.build(tripsSpec({ label, validate, features: { delay: categorical() } }));
    expect(named.manifest.label).toMatchObject({ classes: ['LAX', 'ATL'] });
    expect(named.card.quarantine.reasons).toEqual([
      { reason: 'from is one of the classes LAX, ATL', rows: 61 },
    ]);
    expect(named.card.labels.train.classes).toEqual({ LAX: 84, ATL: 42 });
  });
});

describe('data that makes no dataset', () => {
  it.each([
    ['train', '2024-01-25T00:00:00Z', `at" < '2024-01-11'`],
    ['validation', '2024-01-11T00:00:00Z', `at" < '2024-01-08'`],
    ['test', '2024-01-11T00:00:00Z', `at" < '2024-01-10'`],
  ])('is refused by the split that has no rows: %s', async (split, asOf, where) => {
    await shop.write('trips.parquet', `SELECT * FROM (${TRIPS}) WHERE "${where}`);
    const error = await shop.build(tripsSpec(), { asOf: new Date(asOf) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataInvalidError);
    const { field, problem } = error as DataInvalidError;
    expect(field).toBe('data.window');
    expect(problem).toContain(`the ${split} split`);
    expect(problem).toContain(`has no rows: the source's rows are from 2024-01-01 00:00:00 to 2024-01-`);
  });

  it('is told when all rows of a split broke an expectation', async () => {
    await shop.write('trips.parquet', TRIPS);
    const expectations = [predicate('not on the last day', `"at" < TIMESTAMP '2024-01-10'`)];
    await expect(shop.build(tripsSpec({}, { expectations }))).rejects.toThrow(
      'all its 24 rows broke an expectation',
    );
  });

  it.each([
    ['binary', { label: { kind: 'binary', name: 'late', from: 'delay >= 0', threshold: 0.5 } }, `'true'`],
    [
      'multiclass',
      {
        label: multiclass('late', { from: `'always'` }),
        validate: { gate: notWorse({ metric: 'accuracy', margin: 0.5 }) },
      },
      `'always'`,
    ],
    [
      'regression',
      {
        label: regression('late', { from: '42' }),
        validate: { gate: notWorse({ metric: 'mae', margin: 1 }) },
      },
      '42',
    ],
  ])('is refused when the label has but one value: %s', async (_, parts, value) => {
    await shop.write('trips.parquet', TRIPS);
    const error = await shop.build(tripsSpec(parts as never)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataInvalidError);
    expect((error as DataInvalidError).problem).toContain(`every training row has the label ${value};`);
  });

  it('is refused when a label has a class for nearly every row', async () => {
    const many = TRIPS.replace('i * INTERVAL 1 HOUR', 'i * INTERVAL 6 MINUTE').replace(
      'range(240)',
      'range(2400)',
    );
    await shop.write('trips.parquet', many);
    const validate = { gate: notWorse({ metric: 'accuracy', margin: 0.5 }) };
    const build = shop.build(tripsSpec({ label: multiclass('each', { from: 'id' }), validate }));
    await expect(build).rejects.toThrow('it gives more than 1000 classes');
  });
});
