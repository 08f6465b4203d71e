import { PipelineInvalidError, categorical, numeric } from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TRIPS, TRIPS_INPUT, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
  await shop.write('trips.parquet', TRIPS);
});
afterEach(() => shop.close());

const labelled = (from: string) =>
  tripsSpec({ label: { kind: 'binary', name: 'late', from, threshold: 0.5 } });

describe('a label’s SQL', () => {
  it.each([
    ['delay > 14'],
    ['delay > 14 -- more than a quarter of an hour'],
    ['delay > 14 /* ) */'],
    ['DELAY > 14'],
    ['"delay" > 14 OR origin = \')\''],
    ['list_contains([15, 16, 17], delay)'],
    ['len(list_filter([1, 20], lambda x: x < delay)) = 2'],
    ['CAST(delay > 14 AS TINYINT)'],
  ])('may be any expression over the row: %s', async (from) => {
    const { card } = await shop.build(labelled(from));
    expect(card.labels.train.classes?.['true']).toBeGreaterThan(0);
  });

  it.each([
    ['delay >', 'is not a SQL expression'],
    ['', 'is not a SQL expression'],
    ['dellay > 14', 'Referenced column "dellay" not found'],
    ['delay > 14) AS x, (1', 'must be one SQL expression'],
    [`1) FROM read_text('/etc/hostname') WHERE (1`, 'must be one SQL expression'],
    ['1); DROP TABLE staged; SELECT (1', 'is not a SQL expression: Only SELECT'],
    ['1); SELECT (1', 'must be one SQL expression'],
    [`(SELECT count(*) FROM read_text('/etc/hostname')) > 0`, 'has a subquery'],
    ['EXISTS (SELECT 1)', 'has a subquery'],
    ['lag(delay) OVER () > 14', 'has a window function'],
    ['COLUMNS(*) > 14', 'has a star'],
    ['delay > $1', 'has a parameter'],
    ['avg(delay) > 14', 'is not valid'],
    ['random() > 0.5', 'calls random'],
    ['now() > "at"', 'calls now'],
    ['current_date > "at"', 'calls current_date'],
    ['origin', 'must give true or false, or 0 or 1, but is of the type text (VARCHAR)'],
    ['"at"', 'is of the type timestamp (TIMESTAMP)'],
    ['[delay]', 'is of the type INTEGER[]'],
    [`strptime(origin, '%Y') IS NULL`, 'fails on a row: Could not parse string'],
    ['CAST(delay * 1000000000 AS BIGINT) * 1000000000000 > 1', 'fails on a row: '],
    ['CAST(origin AS INTEGER) > 1', 'fails on a row: Could not convert string'],
  ])('is refused: %s', async (from, message) => {
    const spec = labelled('delay > 14');
    const error = await shop.build({ ...spec, label: { ...spec.label, from } }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PipelineInvalidError);
    const [issue] = (error as PipelineInvalidError).issues;
    expect(issue?.path).toBe('label.from');
    expect(issue?.message).toContain(message);
  });
});

describe('names that look like SQL', () => {
  it('are columns like any others', async () => {
    const nasty = `a"b; drop table x`;
    const quoted = `"${nasty.replaceAll('"', '""')}"`;
    await shop.write(
      'nasty.parquet',
      `SELECT "at", delay, distance AS ${quoted}, origin AS "select '", id AS "c0", id AS "label", id AS "mask", id AS "__c" FROM (${TRIPS})`,
    );
    const spec = tripsSpec(
      {
        features: {
          a: numeric({ column: nasty }),
          b: categorical({ column: `select '` }),
          c: numeric({ column: 'c0' }),
        },
        validate: { ...TRIPS_INPUT.validate, slices: [nasty] },
      },
      {
        source: { kind: 'parquet', paths: ['nasty.parquet'] },
        key: 'label',
        expectations: [
          { kind: 'between', column: nasty, min: 0 },
          { kind: 'notNull', column: 'mask' },
          { kind: 'oneOf', column: `select '`, values: ['ATL', 'ORD', 'LAX', `'); DROP TABLE staged; --`] },
          { kind: 'predicate', name: `it's named '; --`, sql: 'label < 1000' },
        ],
      },
    );
    const built = await shop.build(spec);
    expect(built.card.quarantine.rows).toBe(0);
    expect(built.manifest.encoder.columns.map(({ name }) => name)).toEqual([nasty, `select '`, 'c0']);
    const { batch, slices, keys } = await shop.read(built);
    expect(Array.from(batch.columns[nasty] as Float64Array).slice(0, 3)).toEqual([100, 200, 300]);
    expect(slices[nasty]?.slice(0, 3)).toEqual(['100', '200', '300']);
    expect(Array.from(batch.columns['c0'] as Float64Array).slice(0, 3)).toEqual([0, 1, 2]);
    expect(keys?.slice(0, 3)).toEqual(['0', '1', '2']);
  });
});
