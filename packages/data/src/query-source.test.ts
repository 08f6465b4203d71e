import {
  categorical,
  numeric,
  query,
  type QueryContext,
  type QueryFunction,
  type QueryValue,
} from '@perennial/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileDigests } from './file-digests.ts';
import { sourceFingerprint } from './source-fingerprint.ts';
import { TRIPS, Workshop, tripsSpec } from './testing/workshop.ts';

let shop: Workshop;
beforeEach(async () => {
  shop = await Workshop.open();
});
afterEach(() => shop.close());

type Row = Record<string, QueryValue>;

/** Row `i` of {@link TRIPS}. */
const trip = (i: number): Row => ({
  at: new Date(Date.UTC(2024, 0, 1, i)),
  id: i,
  delay: i % 30,
  distance: 100 + (i % 6) * 100,
  origin: i % 4 === 0 ? 'ATL' : i % 4 === 1 ? 'ORD' : 'LAX',
});
const all = Array.from({ length: 240 }, (_, i) => trip(i));

const features = { distance: numeric(), origin: categorical() };
const SPEC = tripsSpec({ features }, { source: query(() => all), key: 'id' });

const build = (rows: QueryFunction, signal?: AbortSignal) =>
  shop.build(SPEC, { functions: { query: rows }, ...(signal && { signal }) });
const refusal = async (rows: readonly unknown[]) => {
  const error: unknown = await build(() => rows as Row[]).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'source-invalid', field: 'data.source' });
  return (error as { problem: string }).problem;
};

describe('a query function', () => {
  it('gives the dataset that a file of the same rows gives, in any order, asynchronously or not', async () => {
    await shop.write('trips.parquet', TRIPS);
    const fromFile = await shop.build(tripsSpec({ features }, { key: 'id' }));
    const functions: QueryFunction[] = [
      () => all,
      () => [...all].reverse().map((row) => ({ ...row, id: BigInt(Number(row['id'])) })),
      async function* () {
        for (const row of all) yield await Promise.resolve(row);
      },
    ];
    for (const rows of functions) expect((await build(rows)).digest).toBe(fromFile.digest);
  });

  it('is told the window and the signal', async () => {
    let told: QueryContext | undefined;
    await build((context) => {
      told = context;
      return all;
    });
    expect(told?.from).toEqual(new Date('2024-01-01T00:00:00Z'));
    expect(told?.to).toEqual(new Date('2024-01-11T00:00:00Z'));
    expect(told?.signal.aborted).toBe(false);
  });

  it('may yield more rows than a batch holds, and is asked for them as they are taken', async () => {
    let yielded = 0;
    const { card } = await build(function* () {
      for (let i = 0; i < 10_000; i += 1) {
        yielded += 1;
        yield { ...trip(i % 240), id: i };
      }
    });
    expect(yielded).toBe(10_000);
    expect(Object.values(card.splits).reduce((sum, { rows }) => sum + rows, 0)).toBe(10_000);
  });

  it('keeps whole numbers whole only where all are', async () => {
    const keys = async (rows: Row[]) => {
      const { manifest } = await build(() => rows);
      const [row] = await shop.rows(manifest.splits.train.digest, 'SELECT min(__key) AS k FROM file');
      return row?.['k'];
    };
    expect(await keys(all)).toBe('0');
    expect(await keys([...all.slice(1), { ...trip(0), id: 0.5 }])).toBe('0.5');
  });

  it.each([
    [[], 'the query function yielded no rows with a value'],
    [[{}, { at: null }], 'the query function yielded no rows with a value'],
    [[trip(0), 7], 'row 2 is a number, not an object'],
    [[[1]], 'row 1 is a list, not an object'],
    [[null], 'row 1 is null, not an object'],
    [
      [{ ...trip(0), tags: ['a'] }],
      `in row 1 the column 'tags' is a list, but must be text, a number, true or false, or a time`,
    ],
    [
      [{ ...trip(0), at: new Date(NaN) }],
      `in row 1 the column 'at' is an invalid date, but must be text, a number, true or false, or a time`,
    ],
    [[trip(0), { ...trip(1), at: '2024-01-01' }], `in row 2 the column 'at' is text, but was a time before`],
    [
      [trip(0), { ...trip(1), delay: true }],
      `in row 2 the column 'delay' is a boolean, but was a number before`,
    ],
    [[{ id: 2n ** 60n }], /in row 1 the column 'id' is a bigint beyond what a double holds/],
    [[{ '': 1 }], /in row 1 the name of a column must be 1 to 128 characters/],
  ])('is refused for rows that are none: %#', async (rows, problem) => {
    expect(await refusal(rows)).toMatch(problem);
  });

  it('whose rows end in what the author’s code throws fails with it', async () => {
    const rows: QueryFunction = function* () {
      yield* all;
      throw new RangeError('no more');
    };
    await expect(build(rows)).rejects.toMatchObject({
      name: 'QueryFunctionError',
      message: `The query function of pipeline 'trips' threw RangeError: no more.`,
      transient: false,
    });
    const none: unknown = () => {
      throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    };
    await expect(build(none as QueryFunction)).rejects.toMatchObject({ transient: true });
    await expect(build((() => 7) as unknown as QueryFunction)).rejects.toMatchObject({
      code: 'source-invalid',
    });
  });

  it('that never yields ends with the run, and is closed', async () => {
    const controller = new AbortController();
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    let closed = 0;
    const rows: AsyncIterable<Row> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked();
          return new Promise<never>(() => undefined);
        },
        return: async () => {
          closed += 1;
          return { done: true, value: undefined };
        },
      }),
    };
    const building = expect(build(() => rows, controller.signal)).rejects.toThrow('enough');
    await waiting;
    controller.abort(new Error('enough'));
    await building;
    expect(closed).toBe(1);
  });

  it('must be there, and is never known before it is called', async () => {
    await expect(shop.build(SPEC)).rejects.toMatchObject({
      problem: 'the function of the query is not there',
    });
    const known = await sourceFingerprint({ spec: SPEC, folder: shop.folder, digests: new FileDigests() });
    expect(known).toBeNull();
  });
});
