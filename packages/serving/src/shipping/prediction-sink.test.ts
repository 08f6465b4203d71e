import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatId } from '@perennial/contract';
import {
  DatabaseUnavailableError,
  dropPredictionPartition,
  eraseRowsOfKey,
  getPrediction,
  openDatabase,
  transaction,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { encodePrediction } from '../journal/prediction-record.ts';
import { makeRecords, predictionMaker } from '../testing/records.ts';
import { createPredictionSink, RecordsRefusedError } from './prediction-sink.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(() => server.database.sql`truncate predictions`);

async function countRows(): Promise<number> {
  const [row] = await server.database.sql<
    { count: number }[]
  >`select count(*)::integer as count from predictions`;
  return row?.count ?? 0;
}

describe('the sink into the table of predictions', () => {
  test('keeps every field as it was', async () => {
    const make = predictionMaker();
    const predictions = [
      make({
        key: 'tab\t, back\\slash, \\N, new\nline\r, "quote", ,"features":{é',
        features: { distance: 500.25, origin: 'O"R\\D,{}é\u{1F6EB}\n', code: '007', late: true, date: null },
      }),
      make({
        version: 12,
        mode: 'batch',
        output: { probabilities: { red: 0.5, '12': 0.5 }, decision: 'red' },
      }),
    ];
    await createPredictionSink(server.database)(predictions.map(encodePrediction));
    for (const prediction of predictions) {
      const kept = await getPrediction(server.database.orm, prediction.id);
      expect(kept).toEqual({ ...prediction, id: formatId('prediction', prediction.id) });
    }
    const [types] = await server.database.sql`
      select distinct jsonb_typeof(features) as features, jsonb_typeof(output) as output from predictions`;
    expect(types).toEqual({ features: 'object', output: 'object' });
  });

  test('cuts no record in the wrong place, whatever its names and values are', async () => {
    const make = predictionMaker();
    const names = [',"output":{', '","at":"', ',"mode":"', 'latencyMicroseconds', '"', '\\', '\\N', 'null'];
    const predictions = names.map((name) =>
      make({
        key: name,
        features: { [name]: name, features: null },
        output: { probabilities: { [name]: 0.5, output: 0.5 }, decision: name },
      }),
    );
    await createPredictionSink(server.database)(predictions.map(encodePrediction));
    for (const prediction of predictions) {
      const kept = await getPrediction(server.database.orm, prediction.id);
      expect(kept).toEqual({ ...prediction, id: formatId('prediction', prediction.id) });
    }
  });

  test('takes records whose fields are in another order', async () => {
    const { id, at, ...rest } = predictionMaker()({ key: 'k' });
    const other = { id, at, ...rest };
    await createPredictionSink(server.database)([...makeRecords(2), JSON.stringify(other)]);
    expect(await getPrediction(server.database.orm, id)).toEqual({
      ...other,
      id: formatId('prediction', id),
    });
    expect(await countRows()).toBe(3);
  });

  test('takes the same records again without a change', async () => {
    const sink = createPredictionSink(server.database);
    const records = makeRecords(10);
    await sink(records.slice(0, 7));
    await sink(records);
    expect(await countRows()).toBe(10);
  });

  test('makes the partitions of the days it needs', async () => {
    const records = ['1969-01-01', '2001-01-01', '2001-01-02', '2199-12-31']
      .filter((day) => day >= '1970')
      .flatMap((day) => makeRecords(2, predictionMaker(`${day}T23:59:59.999Z`)));
    await createPredictionSink(server.database)(records);
    const partitions = await server.database.sql<{ name: string }[]>`
      select distinct tableoid::regclass::text as name from predictions order by 1`;
    expect(partitions.map((row) => row.name)).toEqual([
      'predictions_20010101',
      'predictions_20010102',
      'predictions_21991231',
    ]);
  });

  test('makes a partition again that was dropped behind its back', async () => {
    const sink = createPredictionSink(server.database);
    const make = predictionMaker('2001-05-05T12:00:00Z');
    await sink(makeRecords(1, make));
    await server.database.sql`drop table predictions_20010505`;
    await sink(makeRecords(1, make));
    expect(await countRows()).toBe(1);
  });

  test('puts in all records or none, and says when the fault lies with them', async () => {
    const broken = encodePrediction(predictionMaker()({ features: { origin: 'a\0b' } }));
    const sink = createPredictionSink(server.database);
    await expect(sink([...makeRecords(3), broken])).rejects.toThrow(RecordsRefusedError);
    expect(await countRows()).toBe(0);
  });

  test('says when the database is away', async () => {
    const gone = await openDatabase({ ...server.address, maxConnections: 1 });
    await gone.close();
    await expect(createPredictionSink(gone)(makeRecords(1))).rejects.toThrow(DatabaseUnavailableError);
  });
});

describe('records of a key that was erased', () => {
  const DAY = '2011-06-01';
  const make = predictionMaker(`${DAY}T10:00:00.000Z`);
  const kept = async () => {
    const rows = await server.database
      .sql`select key from predictions where at >= ${DAY}::date order by key, id`;
    return rows.map(({ key }) => key as string | null);
  };

  test('are not taken in, unless they are of later', async () => {
    const sink = createPredictionSink(server.database);
    await server.database
      .sql`insert into models (name, created_at, latest_version) values ('flight-delay', now(), 3)`;
    const before = ['ada', 'bob', null].map((key) => encodePrediction(make({ key })));
    await sink(before);
    const at = new Date(`${DAY}T11:00:00.000Z`);
    await transaction(server.database, (tx) => eraseRowsOfKey(tx, 'ada', at));
    const later = make({ key: 'ada', at: `${DAY}T12:00:00.000Z` });
    await sink([...before, encodePrediction(later)]);
    expect(await kept()).toEqual(['ada', 'bob', null]);
    expect(await getPrediction(server.database.orm, later.id)).toMatchObject({ key: 'ada' });
  });
});

test('a record of a day that retention has dropped is kept until the next pass', async () => {
  const sink = createPredictionSink(server.database);
  const make = predictionMaker('2012-06-01T10:00:00.000Z');
  await sink(makeRecords(2, make));
  const drop = () => transaction(server.database, (tx) => dropPredictionPartition(tx, '2012-06-01'));
  await drop();
  expect(await countRows()).toBe(0);
  await sink(makeRecords(3, make));
  expect(await countRows()).toBe(3);
  expect(await drop()).toBe(true);
  expect(await countRows()).toBe(0);
});
