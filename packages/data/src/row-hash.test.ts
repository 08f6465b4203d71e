import { createHash } from 'node:crypto';
import { categorical, numeric } from '@perennial/pipeline';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rowHashPlan } from './row-hash.ts';
import { TRIPS, Workshop, runSql, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

/** The specification's hash of a text, made without DuckDB. */
function hashOf(text: string): bigint {
  return createHash('md5').update(text).digest().readBigUInt64LE(8) >> 1n;
}

async function hashesOf(
  query: string,
  columns: [name: string, type: string][],
  key?: string,
): Promise<bigint[]> {
  const source = columns.map(([name, type]) => ({ name, type }));
  const time = { name: 'at', type: 'TIMESTAMP' };
  const plan = rowHashPlan({ source, time, key: source.find(({ name }) => name === key) });
  const parts = plan.parts.map(({ alias, sql }) => `${sql} AS ${alias}`).join(', ');
  const rows = await runSql(`SELECT ${plan.hash} AS hash FROM (SELECT ${parts} FROM (${query}))`);
  return rows.map(({ hash }) => BigInt(hash as string));
}

const AT = `TIMESTAMP '2024-01-01' AS at`;
const MICROSECONDS = Date.UTC(2024, 0, 1) * 1000;

describe('the hash of a row', () => {
  it('is md5 of the values by name of column, as it was with every DuckDB before', async () => {
    const found = await hashesOf(`SELECT 'OR;D' AS origin, ${AT}, 2.5 :: DOUBLE AS late, true AS ok`, [
      ['origin', 'VARCHAR'],
      ['at', 'TIMESTAMP'],
      ['late', 'DOUBLE'],
      ['ok', 'BOOLEAN'],
    ]);
    expect(found).toEqual([hashOf(`;2:at=${MICROSECONDS};4:late=2.5;2:ok=true;6:origin~4:OR;D`)]);
    expect(found).toEqual([4618199071130106252n]);
  });

  it('is of key and time where there is a key, under any names of columns', async () => {
    const query = (id: string) => `SELECT 7 AS ${id}, ${AT}, random() AS noise`;
    const hashes = [
      ...(await hashesOf(
        query('id'),
        [
          ['id', 'INTEGER'],
          ['noise', 'DOUBLE'],
        ],
        'id',
      )),
      ...(await hashesOf(query('number'), [['number', 'INTEGER']], 'number')),
    ];
    expect(hashes).toEqual([hashOf(`;3:key=7;4:time=${MICROSECONDS}`), hashes[0]]);
  });

  it('tells apart rows whose texts would run together', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', ';', '1', ':', '~', '=', 'b'), maxLength: 6 });
    const cell = fc.option(text, { freq: 4 });
    const quoted = (value: string | null) => (value === null ? 'NULL :: VARCHAR' : `'${value}'`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(cell, cell), {
          minLength: 2,
          maxLength: 60,
          selector: (row) => JSON.stringify(row),
        }),
        async (rows) => {
          const query = rows
            .map(([a, b]) => `SELECT ${quoted(a)} AS a, ${quoted(b)} AS b, ${AT}`)
            .join(' UNION ALL ');
          const hashes = await hashesOf(query, [
            ['a', 'VARCHAR'],
            ['b', 'VARCHAR'],
            ['at', 'TIMESTAMP'],
          ]);
          expect(new Set(hashes).size).toBe(rows.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ['a whole DOUBLE and an integer', ['3 :: BIGINT', 'BIGINT'], ['3.0 :: DOUBLE', 'DOUBLE']],
    ['FLOAT and DOUBLE', ['0.1 :: FLOAT', 'FLOAT'], ['0.1 :: DOUBLE', 'DOUBLE']],
    ['DECIMAL and DOUBLE', ['1.500 :: DECIMAL(8,3)', 'DECIMAL(8,3)'], ['1.5 :: DOUBLE', 'DOUBLE']],
    ['NaN and NULL', [`'NaN' :: DOUBLE`, 'DOUBLE'], ['NULL :: DOUBLE', 'DOUBLE']],
    ['a date and its midnight', [`DATE '2024-02-01'`, 'DATE'], [`TIMESTAMP '2024-02-01'`, 'TIMESTAMP']],
    [
      'times in two zones',
      [`TIMESTAMPTZ '2024-02-01 01:00:00+01'`, 'TIMESTAMP WITH TIME ZONE'],
      [`TIMESTAMP '2024-02-01'`, 'TIMESTAMP'],
    ],
    ['a date beyond all timestamps and NULL', [`DATE '300000-01-01'`, 'DATE'], ['NULL :: DATE', 'DATE']],
  ] as const)('is the same of %s', async (_, [a, typeA], [b, typeB]) => {
    const [first] = await hashesOf(`SELECT ${a} AS x, ${AT}`, [
      ['x', typeA],
      ['at', 'TIMESTAMP'],
    ]);
    const [second] = await hashesOf(`SELECT ${b} AS x, ${AT}`, [
      ['x', typeB],
      ['at', 'TIMESTAMP'],
    ]);
    expect(second).toBe(first);
  });

  it('stays when the source gains a column that older rows do not have, and reads lists and structs', async () => {
    const [before] = await hashesOf(`SELECT 1 AS x, ${AT}`, [
      ['x', 'INTEGER'],
      ['at', 'TIMESTAMP'],
    ]);
    const columns: [string, string][] = [
      ['x', 'INTEGER'],
      ['at', 'TIMESTAMP'],
      ['new', 'INTEGER[]'],
    ];
    expect(await hashesOf(`SELECT 1 AS x, ${AT}, NULL :: INTEGER[] AS new`, columns)).toEqual([before]);
    expect(await hashesOf(`SELECT 1 AS x, ${AT}, [1, 2] AS new`, columns)).toEqual([
      hashOf(`;2:at=${MICROSECONDS};3:new~5:[1,2];1:x=1`),
    ]);
  });
});

describe('row hashes of a dataset', () => {
  it('are those of the same rows in a later window, in another file format, and under another definition', async () => {
    await shop.write('trips.parquet', TRIPS);
    await shop.write('trips.csv', TRIPS);
    const first = await shop.build(tripsSpec());
    const source = { kind: 'csv' as const, paths: ['trips.csv'], header: true };
    const features = { origin: categorical(), delay: numeric() };
    const second = await shop.build(tripsSpec({ features }, { source }), {
      asOf: new Date('2024-01-10T12:00:00Z'),
    });
    const [a, b] = [await shop.read(first), await shop.read(second)];
    // The second window begins a day earlier, of which there is nothing.
    const shared = 24 * 6;
    expect([...a.rowHashes.subarray(0, shared)]).toEqual([...b.rowHashes.subarray(0, shared)]);
    expect(new Set(a.rowHashes).size).toBe(168);
    expect(a.rowHashes.every((hash) => hash >= 0n)).toBe(true);
  });

  it('are of all the source’s columns, also those that the pipeline does not read', async () => {
    await shop.write('trips.parquet', TRIPS);
    const before = await shop.read(await shop.build(tripsSpec()));
    await shop.write(
      'trips.parquet',
      `SELECT * REPLACE (CASE WHEN id = 3 THEN 'JFK' ELSE origin END AS origin) FROM (${TRIPS})`,
    );
    const after = await shop.read(await shop.build(tripsSpec()));
    const changed = [...before.rowHashes.keys()].filter(
      (row) => before.rowHashes[row] !== after.rowHashes[row],
    );
    expect(changed).toEqual([3]);
  });
});
