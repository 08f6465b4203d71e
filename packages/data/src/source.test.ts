import { cp, mkdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PipelineInvalidError,
  boolean,
  categorical,
  csv,
  json,
  numeric,
  parquet,
  timestamp,
} from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceChangedError, SourceInvalidError } from './errors.ts';
import { FileDigests } from './file-digests.ts';
import { changedFile } from './source-files.ts';
import { sourceFingerprint } from './source-fingerprint.ts';
import { TRIPS, TRIPS_INPUT, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

async function refusal(...[spec, options]: Parameters<Workshop['build']>): Promise<SourceInvalidError> {
  const error = await shop.build(spec, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SourceInvalidError);
  return error as SourceInvalidError;
}

describe('a source that cannot be used', () => {
  it('is named when its file is missing', async () => {
    const error = await refusal(tripsSpec());
    expect(error.details).toEqual({
      pipeline: 'trips',
      field: 'data.source.paths[0]',
      problem: `there is no file 'trips.parquet'`,
    });
  });

  it('is named when its glob matches nothing', async () => {
    await shop.write('trips.parquet', TRIPS);
    const error = await refusal(tripsSpec({}, { source: parquet(['trips.parquet', 'more/*.parquet']) }));
    expect(error.field).toBe('data.source.paths[1]');
    expect(error.problem).toBe(`no file matches 'more/*.parquet'`);
  });

  it('is named when its file is empty', async () => {
    await writeFile(join(shop.folder, 'trips.parquet'), '');
    expect((await refusal(tripsSpec())).problem).toBe(`the file 'trips.parquet' is empty`);
  });

  it('is named when its file is cut off', async () => {
    await shop.write('trips.parquet', TRIPS);
    const { length } = await readFile(join(shop.folder, 'trips.parquet'));
    await truncate(join(shop.folder, 'trips.parquet'), length - 100);
    const { problem } = await refusal(tripsSpec());
    expect(problem).toContain('trips.parquet');
    expect(problem).not.toContain(shop.folder);
  });

  it('is named when its pages are damaged', async () => {
    await shop.write('trips.parquet', TRIPS);
    const bytes = await readFile(join(shop.folder, 'trips.parquet'));
    await writeFile(join(shop.folder, 'trips.parquet'), bytes.fill(0xff, 4, 400));
    expect((await refusal(tripsSpec())).problem).toContain(`'trips.parquet' cannot be read`);
  });

  it('is named when JSON is cut off', async () => {
    await shop.write('trips.json', TRIPS);
    const { length } = await readFile(join(shop.folder, 'trips.json'));
    await truncate(join(shop.folder, 'trips.json'), length - 20);
    expect((await refusal(tripsSpec({}, { source: json('trips.json') }))).problem).toMatch(/trips\.json/);
  });

  it('is told which columns there are when one is missing', async () => {
    await shop.write('trips.parquet', TRIPS);
    const error = await refusal(tripsSpec({ features: { altitude: numeric() } }));
    expect(error.field).toBe('features.altitude');
    expect(error.problem).toBe(`there is no column 'altitude'; there are at, id, delay, distance, origin`);
  });

  it.each([
    ['data.time', tripsSpec({}, { time: 'when' })],
    ['data.key', tripsSpec({}, { key: 'number' })],
    [
      'validate.slices.columns[1]',
      tripsSpec({ validate: { ...TRIPS_INPUT.validate, slices: ['origin', 'Origin'] } }),
    ],
    ['data.expectations[0].column', tripsSpec({}, { expectations: [{ kind: 'notNull', column: 'x' }] })],
  ])('is told the field that names a missing column: %s', async (field, spec) => {
    await shop.write('trips.parquet', TRIPS);
    expect((await refusal(spec)).field).toBe(field);
  });

  it.each([
    ['a time that is a number', 'data.time', tripsSpec({}, { time: 'id' })],
    ['a number that is text', 'features.origin', tripsSpec({ features: { origin: numeric() } })],
    ['a boolean that is text', 'features.origin', tripsSpec({ features: { origin: boolean() } })],
    ['a category that is a time', 'features.at', tripsSpec({ features: { at: categorical() } })],
    ['a timestamp that is a number', 'features.id', tripsSpec({ features: { id: timestamp() } })],
    [
      'text that is read as time and as category',
      'features.b',
      tripsSpec({ features: { a: categorical({ column: 'origin' }), b: timestamp({ column: 'origin' }) } }),
    ],
    [
      'a range of text',
      'data.expectations[0].column',
      tripsSpec({}, { expectations: [{ kind: 'between', column: 'origin', min: 1 }] }),
    ],
  ])('is refused by type: %s', async (_, field, spec) => {
    await shop.write('trips.parquet', TRIPS);
    const error = await refusal(spec);
    expect(error.field).toBe(field);
    expect(error.problem).toMatch(/is of the type (number|text|timestamp) \(.*\), but must be/);
  });

  it('is refused by type where DuckDB’s has no place in a model', async () => {
    await shop.write('trips.parquet', `SELECT *, [1, 2] AS list FROM (${TRIPS})`);
    const { problem } = await refusal(tripsSpec({ features: { list: numeric() } }));
    expect(problem).toBe(`the column 'list' is of the type INTEGER[], but must be number or boolean`);
  });

  it('is refused when it lies on another machine', async () => {
    const build = shop.build(tripsSpec({}, { source: parquet('https://example.org/a.parquet') }));
    await expect(build).rejects.toThrow(PipelineInvalidError);
    await expect(build).rejects.toThrow('data.source.paths[0]: must be a path on this machine');
  });

  it('is told when a file changes while it is read', async () => {
    await shop.write('trips.parquet', TRIPS);
    const path = join(shop.folder, 'trips.parquet');
    const file = {
      name: 'trips.parquet',
      path,
      bytes: (await readFile(path)).length,
      modified: 5_000_000_000n,
    };
    await utimes(path, 5, 5);
    expect(await changedFile([file])).toBeUndefined();
    await utimes(path, 6, 6);
    expect(await changedFile([file])).toBe('trips.parquet');
    expect(await changedFile([{ ...file, path: `${path}.gone` }])).toBe('trips.parquet');
    expect(new SourceChangedError('trips', 'trips.parquet').transient).toBe(true);
  });
});

describe('a source of another format', () => {
  it('gives the same dataset from CSV and JSON as from Parquet', async () => {
    for (const name of ['trips.parquet', 'trips.csv', 'trips.json']) await shop.write(name, TRIPS);
    const fromParquet = await shop.build(tripsSpec());
    const fromCsv = await shop.build(tripsSpec({}, { source: csv('trips.csv') }));
    const fromJson = await shop.build(tripsSpec({}, { source: json('trips.json') }));
    expect(fromCsv.digest).toBe(fromParquet.digest);
    expect(fromJson.digest).toBe(fromParquet.digest);
  });

  it('takes an array of JSON objects, and times as text with any offset', async () => {
    const rows = Array.from({ length: 240 }, (_, hour) => ({
      at: new Date(Date.UTC(2024, 0, 1, hour)).toISOString().replace('Z', hour % 2 ? '+00:00' : 'Z'),
      delay: hour % 30,
      distance: 100 + (hour % 6) * 100,
    }));
    const shifted = rows.map((row) => ({ ...row, at: `x${row.at}`.slice(1).replace('.000', '') }));
    await writeFile(join(shop.folder, 'rows.json'), JSON.stringify(shifted));
    const { manifest } = await shop.build(tripsSpec({}, { source: json('rows.json') }));
    expect(manifest.splits.train.rows).toBe(168);
  });

  it('reads times in another zone as the instants they are, whatever the machine’s zone', async () => {
    await shop.write('trips.parquet', TRIPS);
    const plain = await shop.build(tripsSpec());
    await shop.write(
      'text.parquet',
      `SELECT * REPLACE (strftime("at" + INTERVAL 330 MINUTE, '%Y-%m-%dT%H:%M:%S+05:30') AS "at") FROM (${TRIPS})`,
    );
    const text = await shop.build(tripsSpec({}, { source: parquet('text.parquet') }));
    expect(text.digest).toBe(plain.digest);
  });

  it('keeps CSV lines that cannot be read, with what is wrong with them', async () => {
    await shop.write('trips.csv', TRIPS);
    const text = await readFile(join(shop.folder, 'trips.csv'), 'utf8');
    const lines = text.trimEnd().split('\n');
    lines.splice(3, 0, '2024-01-01 00:30:00,1,2,3', 'no line at all', '2024-01-01 00:45:00,1,many,300,ATL');
    await writeFile(join(shop.folder, 'trips.csv'), `${lines.join('\n')}\n`);
    const types = { at: 'TIMESTAMP', id: 'BIGINT', delay: 'INTEGER', distance: 'DOUBLE', origin: 'VARCHAR' };
    const spec = tripsSpec(
      { features: { origin: categorical(), distance: numeric() } },
      { source: csv('trips.csv', { types }) },
    );
    const { manifest, card } = await shop.build(spec);
    expect(manifest.splits.train.rows).toBe(168);
    expect(card.quarantine.rows).toBe(3);
    expect(card.quarantine.reasons).toEqual([
      { reason: 'the line can be read: missing columns', rows: 2 },
      { reason: 'the line can be read: wrong type in delay', rows: 1 },
    ]);
    const kept = await shop.rows(
      card.quarantine.digest ?? '',
      'SELECT __line, __reason FROM file ORDER BY __line',
    );
    expect(kept[0]).toMatchObject({ __line: '2024-01-01 00:30:00,1,2,3' });
    expect(kept[1]?.['__reason']).toContain('line 6');
  });

  it('reads a CSV file with a delimiter of its own and without a header', async () => {
    const rows = Array.from({ length: 240 }, (_, hour) =>
      [new Date(Date.UTC(2024, 0, 1, hour)).toISOString(), hour % 30, 100 + (hour % 6) * 100].join(';'),
    );
    await writeFile(join(shop.folder, 'rows.csv'), rows.join('\n'));
    const spec = tripsSpec(
      {
        label: { kind: 'binary', name: 'late', from: 'column1 > 14', threshold: 0.5 },
        features: { distance: numeric({ column: 'column2' }) },
      },
      { source: csv('rows.csv', { delimiter: ';', header: false }), time: 'column0' },
    );
    expect((await shop.build(spec)).manifest.splits.test.rows).toBe(24);
  });

  it('says that CSV files have no rows when they are a header alone, and takes types from those that have', async () => {
    await writeFile(join(shop.folder, 'a.csv'), 'at,id,delay,distance,origin\n');
    const { problem, field } = await refusal(tripsSpec({}, { source: csv('a.csv') }));
    expect({ problem, field }).toEqual({ problem: 'its files have no rows', field: 'data.source' });
    await shop.write('b.csv', TRIPS);
    expect((await shop.build(tripsSpec({}, { source: csv('*.csv') }))).manifest.splits.train.rows).toBe(168);
  });

  it('says that Parquet and JSON files have no rows', async () => {
    await shop.write('none.parquet', `FROM (${TRIPS}) LIMIT 0`);
    expect((await refusal(tripsSpec({}, { source: parquet('none.parquet') }))).problem).toBe(
      'its files have no rows',
    );
    await writeFile(join(shop.folder, 'none.json'), '[]');
    expect((await refusal(tripsSpec({}, { source: json('none.json') }))).problem).toBe(
      'its files have no rows',
    );
  });

  it('refuses CSV files whose columns differ, by name', async () => {
    await shop.write('a.csv', TRIPS);
    await shop.write('b.csv', `SELECT * EXCLUDE (delay) FROM (${TRIPS})`);
    const { problem } = await refusal(tripsSpec({}, { source: csv('*.csv') }));
    expect(problem).toBe(`the file 'b.csv' lacks the column 'delay' that 'a.csv' has`);
  });
});

describe('sourceFingerprint', () => {
  const fingerprint = (paths: string[]) =>
    sourceFingerprint({
      spec: tripsSpec({}, { source: parquet(paths) }),
      folder: shop.folder,
      digests: new FileDigests(),
    });

  it('of files is that of their contents, whatever they are called and wherever they lie', async () => {
    await shop.write('a.parquet', TRIPS);
    const first = await fingerprint(['a.parquet']);
    await mkdir(join(shop.folder, 'deep'));
    await cp(join(shop.folder, 'a.parquet'), join(shop.folder, 'deep', 'b.parquet'));
    expect(await fingerprint(['deep/*.parquet'])).toBe(first);
    expect(await fingerprint(['deep/*.parquet', 'a.parquet'])).not.toBe(first);
    await shop.write('a.parquet', `FROM (${TRIPS}) LIMIT 200`);
    expect(await fingerprint(['a.parquet'])).not.toBe(first);
  });

  it('is not known of files that are not there, which building says', async () => {
    expect(await fingerprint(['a.parquet'])).toBeNull();
    expect(await fingerprint(['https://example.org/a.parquet'])).toBeNull();
  });
});

describe('FileDigests', () => {
  it('digests a file again only when its size or time has changed', async () => {
    const path = join(shop.folder, 'file');
    await writeFile(path, 'one');
    const digests = new FileDigests();
    const state = { path, bytes: 3, modified: 1n };
    const first = await digests.of(state);
    await writeFile(path, 'two');
    expect(await digests.of(state)).toBe(first);
    const second = await digests.of({ ...state, modified: 2n });
    expect(second).not.toBe(first);
    expect(second).toBe('sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3');
  });
});
