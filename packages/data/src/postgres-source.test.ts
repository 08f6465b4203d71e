import { categorical, numeric, postgres } from '@perennial/pipeline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionUnavailableError, ConnectionUnknownError, SourceInvalidError } from './errors.ts';
import { namedConnections } from './source-readers.ts';
import { PlatformData } from './testing/platform-data.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let data: PlatformData;
let shop: Workshop;
beforeAll(async () => {
  data = await PlatformData.open();
  await data.database.sql.unsafe(`
    create table trips (at timestamptz, id bigint, delay integer, distance numeric(10, 2), origin text);
    insert into trips select timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', i, i % 30, 100.0 + (i % 6) * 100,
      case when i % 4 = 0 then 'ATL' when i % 4 = 1 then 'ORD' else 'LAX' end from generate_series(0, 239) as i;`);
});
afterAll(() => data.close());
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

const sources = () => ({
  connections: namedConnections({
    warehouse: data.url,
    'cold-store': 'postgres://nobody@127.0.0.1:1/nothing',
  }),
});

const spec = (query: string, { connection = 'warehouse', time = 'at' } = {}) =>
  tripsSpec(
    { features: { distance: numeric(), origin: categorical() } },
    { source: postgres({ connection, query }), time, key: 'id' },
  );

async function refusal(...given: Parameters<typeof spec>): Promise<SourceInvalidError> {
  const error = await shop.build(spec(...given), { sources: sources() }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SourceInvalidError);
  return error as SourceInvalidError;
}

describe('a postgres source', () => {
  it('gives the dataset that a file of the same rows gives', async () => {
    await shop.write('trips.parquet', TRIPS);
    const features = { distance: numeric(), origin: categorical() };
    const fromFile = await shop.build(tripsSpec({ features }, { key: 'id' }));
    const fromQuery = await shop.build(spec('select * from trips -- all;'), { sources: sources() });
    expect(fromQuery.digest).toBe(fromFile.digest);
    expect(fromQuery.card.files).toEqual([]);
    expect(fromQuery.manifest.splits).toMatchObject({ train: { rows: 168 }, test: { rows: 24 } });
  });

  it('is the same whatever order the rows come in, with a time of another type, and with a semicolon at its end', async () => {
    const plain = await shop.build(spec('select * from trips'), { sources: sources() });
    for (const query of [
      'select * from trips order by random();',
      `select at at time zone 'UTC' as at, id, delay, distance, origin from trips`,
      `with all_trips as (select * from trips) select at::text as at, id, delay, distance, origin from all_trips`,
    ])
      expect((await shop.build(spec(query), { sources: sources() })).digest).toBe(plain.digest);
  });

  it('asks the server for the window alone, and for rows without a time', async () => {
    const query = `select *, 1 / (case when at < timestamptz '2023-12-31' then 0 else 1 end) as one from
      (select * from trips union all select timestamptz '2020-01-01', 1, 1, 1, 'ATL' union all select null, 1, 1, 1, 'ATL') as t`;
    const { card } = await shop.build(spec(query), { sources: sources() });
    expect(card.quarantine.reasons).toEqual([{ reason: 'at is a time', rows: 1 }]);
  });

  it('says that it has no rows where the window lies', async () => {
    const error = await shop
      .build(spec('select * from trips'), { sources: sources(), asOf: new Date('2030-01-01') })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'data-invalid', field: 'data.window' });
    expect((error as Error).message).toContain('the source has no row in the window');
  });

  it('cannot write, and is one statement', async () => {
    const { problem, field } = await refusal(
      'with gone as (delete from trips returning *) select * from gone',
    );
    expect(field).toBe('data.source.query');
    expect(problem).toMatch(/SQLSTATE (25006|0A000)/);
    await refusal('select * from trips) as a; delete from trips; select * from (select 1');
    const [row] = await data.database.sql<{ n: number }[]>`select count(*)::int as n from trips`;
    expect(row?.n).toBe(240);
  });

  it.each([
    ['select * from journeys', /relation "journeys" does not exist \(SQLSTATE 42P01\)/],
    ['select * frm trips', /syntax error/],
    ['select 1 / (delay - 3) as x, * from trips', /division by zero/],
    ['select at, id, delay, distance, origin, delay as Delay from trips', /two columns 'delay'/],
    [
      `select at, id, delay, distance, origin, timestamp '294276-12-31' as ides from trips`,
      /'ides' has a value that is none of the type TIMESTAMP/,
    ],
    ['select * from trips where false', undefined],
  ])('is refused for what is wrong with it: %s', async (query, problem) => {
    if (problem === undefined) {
      const build = shop.build(spec(query), { sources: sources() });
      await expect(build).rejects.toMatchObject({ code: 'data-invalid' });
    } else {
      expect((await refusal(query)).problem).toMatch(problem);
    }
  });

  it('names the connections that there are when it asks for another', async () => {
    const build = (options: Parameters<Workshop['build']>[1]) =>
      shop.build(spec('select 1', { connection: 'elsewhere' }), options);
    await expect(build({ sources: sources() })).rejects.toThrow(
      `There is no connection 'elsewhere': there are cold-store, warehouse.`,
    );
    await expect(build({})).rejects.toBeInstanceOf(ConnectionUnknownError);
  });

  it('may be tried again when its server does not answer, and does not say where that is', async () => {
    const error = await shop
      .build(spec('select 1', { connection: 'cold-store' }), { sources: sources() })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionUnavailableError);
    expect(error).toMatchObject({ transient: true, connection: 'cold-store' });
    expect((error as Error).message).not.toContain('127.0.0.1');
  });

  it('is broken off on the server when the run is cancelled', async () => {
    const { sql } = data.database;
    const controller = new AbortController();
    const query = `select t.*, pg_sleep(60)::text as nap from trips t`;
    const build = shop.build(spec(query), { sources: sources(), signal: controller.signal });
    const reached = expect(build).rejects.toThrow('enough');
    const running = () =>
      sql`select pid from pg_stat_activity where application_name = 'perennial trips' and state = 'active' and query like 'fetch%'`;
    await expect.poll(async () => (await running()).length).toBe(1);
    controller.abort(new Error('enough'));
    await reached;
    await expect.poll(async () => (await running()).length).toBe(0);
  });
});
