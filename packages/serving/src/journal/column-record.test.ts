import { describe, expect, onTestFinished, test } from 'vitest';
import { IdGenerator, ManualClock, type Prediction } from '@perennial/contract';
import { UnusableOutputError } from '../errors.ts';
import { columnPredictionsMaker } from '../testing/column-predictions.ts';
import { readAll } from '../testing/read-journal.ts';
import { makeRecords } from '../testing/records.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { CommitGroup } from './commit-group.ts';
import { expandColumns } from './column-expansion.ts';
import { encodeColumnPredictions, type ColumnPredictions } from './column-record.ts';
import { walkFrames } from './frame.ts';
import { Journal } from './journal.ts';
import { encodePrediction } from './prediction-record.ts';
import { compileRecordPolicy } from './record-policy.ts';
import { baseId, rowId } from './row-ids.ts';

const make = columnPredictionsMaker();

/** What is on record, frame by frame. */
function framesOf(predictions: ColumnPredictions, ...policy: Parameters<typeof compileRecordPolicy>) {
  const { bytes, rows } = encodeColumnPredictions(predictions, compileRecordPolicy(...policy));
  const frames = [...walkFrames(bytes, true)].map(({ kind, start, end }) => {
    expect(kind).toBe('columns');
    return expandColumns(bytes.subarray(start, end));
  });
  expect(frames.flat()).toHaveLength(rows);
  return frames;
}

function recordsOf(...args: Parameters<typeof framesOf>): Prediction[] {
  return framesOf(...args).flatMap((frame) => frame.map((record) => JSON.parse(record) as Prediction));
}

describe('predictions in columns', () => {
  test('give the records that the same predictions would have given row by row', () => {
    const predictions = make(7, { keys: ['a', null, 'c"', 'd', 'e', 'f', 'g'] });
    const base = predictions.ids as string;
    const expected = Array.from({ length: 7 }, (_, row) =>
      encodePrediction({
        id: rowId(base, row),
        model: 'flight-delay',
        version: 3,
        endpoint: 'flight-delay',
        key: predictions.keys?.[row] ?? null,
        features: {
          distance: row / 4,
          wind: row % 3 || null,
          late: [false, true, null][row % 3] ?? null,
          origin: row % 2 ? `O"R${row}é` : null,
          departure: row % 5 ? row : null,
        },
        output: { probability: Math.fround(1 / (row + 1)), decision: row % 2 === 1 },
        mode: 'live',
        latencyMicroseconds: 120,
        at: '2001-03-04T05:06:07.000Z',
      }),
    );
    expect(framesOf(predictions)).toEqual([expected]);
  });

  test('of many rows are several frames, and every row is in one of them', () => {
    const predictions = make(2_500);
    const frames = framesOf(predictions);
    expect(frames.map((frame) => frame.length)).toEqual([1_024, 1_024, 452]);
    const ids = recordsOf(predictions).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 2_500 }, (_, row) => rowId(predictions.ids as string, row)));
  });

  test('of long texts are cut where a frame is full', () => {
    const values = Array.from({ length: 1_000 }, () => 'x'.repeat(50_000));
    const frames = framesOf(make(1_000, { features: [{ name: 'text', type: 'text', values }] }));
    expect(frames.map((frame) => frame.length)).toEqual([500, 500]);
  });

  test('keep ids of their own, whole numbers beyond 2^53, numbers that JSON has no word for and any names', () => {
    const ids = new IdGenerator(new ManualClock('2001-03-04T00:00:00Z'));
    const own = Array.from({ length: 3 }, () => ids.next());
    const features = [
      { name: 'whole', type: 'number', values: BigInt64Array.from([2n ** 62n, -1n, 0n]) },
      { name: '__proto__', type: 'number', values: Float64Array.from([Infinity, -0, 1e21]) },
    ] as const;
    const [frame] = framesOf(make(3, { ids: own, features }));
    expect(frame?.map((record) => (JSON.parse(record) as Prediction).id)).toEqual(own);
    expect(frame?.map((record) => /"features":(.*),"output"/.exec(record)?.[1])).toEqual([
      '{"whole":4611686018427387904,"__proto__":null}',
      '{"whole":-1,"__proto__":0}',
      '{"whole":0,"__proto__":1e+21}',
    ]);
  });

  test('take their rows out of a batch that was computed together with others', () => {
    const multiclass = {
      kind: 'multiclass',
      classes: ['red', '12'],
      probabilities: Float32Array.from([9, 9, 0.25, 0.75, 0.5, 0.5, 9, 9]),
      decision: ['', '12', 'red', ''],
    } as const;
    const output = { ...multiclass, classes: [...multiclass.classes], decision: [...multiclass.decision] };
    expect(recordsOf(make(2, { output, offset: 1 })).map((record) => record.output)).toEqual([
      { probabilities: { red: 0.25, '12': 0.75 }, decision: '12' },
      { probabilities: { red: 0.5, '12': 0.5 }, decision: 'red' },
    ]);
    const regression = { kind: 'regression', value: Float32Array.from([1, 2, 3]) } as const;
    expect(recordsOf(make(1, { output: regression, offset: 2 }))[0]?.output).toEqual({ value: 3 });
  });

  test('are refused when an answer is no number', () => {
    const output = { kind: 'regression', value: Float32Array.from([1, NaN, 2]) } as const;
    expect(() => encodeColumnPredictions(make(2, { output }))).toThrow(UnusableOutputError);
    expect(encodeColumnPredictions(make(1, { output, offset: 2 })).rows).toBe(1);
  });

  test('come without the columns and the rows that a policy leaves out', () => {
    const all = make(200, { keys: Array.from({ length: 200 }, (_, row) => `key-${row}`) });
    const records = recordsOf(all, { sample: 0.5, redact: ['origin', 'wind'] });
    const { keeps } = compileRecordPolicy({ sample: 0.5 });
    const kept = recordsOf(all).filter(({ id }) => keeps(id));
    expect(kept.length).toBeGreaterThan(60);
    expect(kept.length).toBeLessThan(140);
    for (const record of kept) {
      delete record.features['origin'];
      delete record.features['wind'];
    }
    expect(records).toEqual(kept);
    expect(encodeColumnPredictions(make(5), compileRecordPolicy({ sample: 1e-12 }))).toMatchObject({
      rows: 0,
    });
  });
});

describe('ids of rows', () => {
  const ids = new IdGenerator(new ManualClock('2001-03-04T05:06:07Z'));

  test('are UUIDv7 of the same instant that sort by row, and below any id that is made after', () => {
    const base = baseId(ids);
    const rows = Array.from({ length: 70_000 }, (_, row) => rowId(base, row));
    expect(new Set(rows).size).toBe(70_000);
    expect([...rows].sort()).toEqual(rows);
    expect(rows[69_999]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(baseId(ids) > (rows[69_999] ?? '')).toBe(true);
  });
});

describe('a journal of rows and columns', () => {
  async function openJournal(folder: string): Promise<Journal> {
    const journal = await Journal.open({ folder, durability: 'process' });
    onTestFinished(() => journal.close());
    return journal;
  }

  test('gives both back in their order, counted as rows', async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal(folder);
    const rows = makeRecords(3);
    const columns = encodeColumnPredictions(make(5));
    const expanded = expandColumns(columns.bytes);
    await Promise.all([
      journal.append(rows.slice(0, 1)),
      journal.appendFrames(columns),
      journal.append(rows.slice(1)),
    ]);
    expect(journal.counters).toMatchObject({ appends: 3, records: 8, commits: 1 });
    const expected = [...rows.slice(0, 1), ...expanded, ...rows.slice(1)];
    expect(await readAll(journal)).toEqual(expected);
    await journal.close();
    expect(await readAll(await openJournal(folder))).toEqual(expected);
  });

  test('of nothing to record is acknowledged', async () => {
    const journal = await openJournal(await temporaryFolder());
    await journal.appendFrames(encodeColumnPredictions(make(0)));
    expect(journal.counters.appends).toBe(0);
  });
});

describe('damage to columns', () => {
  /** A frame of columns whose values hold a whole frame of rows: what a caller might send who would like to forge a record. */
  function forging(): { bytes: Buffer; forged: Buffer } {
    const forged = encodeRows('"forged"');
    const values = new Float64Array(64);
    new Uint8Array(values.buffer).set(forged, 3);
    const { bytes } = encodeColumnPredictions(
      make(64, { features: [{ name: 'x', type: 'number', values }] }),
    );
    expect(bytes.includes(forged)).toBe(true);
    return { bytes, forged };
  }

  const stretches = (bytes: Buffer) => [...walkFrames(bytes, true)].map(({ kind }) => kind);
  const after = encodeRows('"after"');

  test('costs that frame alone, and what it holds is never taken for a frame', () => {
    const { bytes } = forging();
    for (let at = 13; at < bytes.length; at++) {
      const damaged = Buffer.concat([bytes, after]);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(stretches(damaged)).toEqual(['damage', 'rows']);
    }
  });

  test('that tears the frame off leaves nothing of it', () => {
    const { bytes } = forging();
    for (let length = 13; length < bytes.length; length++) {
      expect(stretches(Buffer.concat([after, bytes.subarray(0, length)]))).toEqual(['rows']);
    }
  });

  test('to its header costs that frame alone', () => {
    const { bytes } = encodeColumnPredictions(make(64));
    for (let at = 0; at < 13; at++) {
      const damaged = Buffer.concat([bytes, after]);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(stretches(damaged)).toEqual(['damage', 'rows']);
    }
  });
});

/** A frame of rows as it is in a segment. */
function encodeRows(record: string): Buffer {
  const group = new CommitGroup(null);
  group.add([record]);
  return Buffer.from(group.bytes);
}
