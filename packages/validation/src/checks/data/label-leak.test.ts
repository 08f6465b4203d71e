import type { DatasetManifest, LabelKind } from '@perennial/contract';
import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { SplitBatch } from '@perennial/data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelLeaks } from './label-leak.ts';
import { midranks, rankCorrelation, separation } from './leak-measures.ts';

type Columns = Record<string, Float64Array | BigInt64Array | string[]>;

const LABELS: Record<LabelKind, DatasetManifest['label']> = {
  binary: { kind: 'binary', name: 'late', threshold: 0.5 },
  multiclass: { kind: 'multiclass', name: 'kind', classes: ['a', 'b', 'c'] },
  regression: { kind: 'regression', name: 'delay', center: 0, scale: 1 },
};

async function leaks(kind: LabelKind, labels: Float64Array | string[], columns: Columns) {
  const rows = labels.length;
  async function* batches(): AsyncGenerator<SplitBatch> {
    for (let start = 0; start < rows; start += 700) {
      const part = Object.entries(columns).map(([name, column]) => [name, column.slice(start, start + 700)]);
      const some = labels.slice(start, start + 700);
      yield await Promise.resolve({
        batch: { rows: some.length, columns: Object.fromEntries(part) as Columns },
        labels: some,
        slices: {},
        times: new BigInt64Array(some.length),
        keys: null,
        rowHashes: new BigInt64Array(some.length),
      });
    }
  }
  const found = await labelLeaks(batches(), { label: LABELS[kind], encoder: { columns: [], features: [] } });
  return found.map(({ subject, outcome }) => (subject === null ? outcome : `${outcome} ${subject}`));
}

const ROWS = 4_000;
const each = <T>(make: (row: number) => T): T[] => Array.from({ length: ROWS }, (_, row) => make(row));
/** Scattered over [0, 1), alike every time. */
const noise = (row: number, salt: number) =>
  (((row + 1) * 2_654_435_761 * (salt * 2 + 1)) % 4_294_967_296) / 4_294_967_296;
const numbers = (make: (row: number) => number) => Float64Array.from(each(make));
const late = numbers((row) => (noise(row, 1) < 0.2 ? 1 : 0));
const honest: Columns = {
  weather: numbers((row) => late[row]! * 0.8 + noise(row, 2)),
  carrier: each((row) => (noise(row, 3) < 0.5 ? 'AA' : 'DL')),
  flight: each((row) => `F${row}`),
  constant: numbers(() => 1),
};

describe('labelLeaks of a binary label', () => {
  it('finds nothing among honest columns, identifiers and constants', async () => {
    expect(await leaks('binary', late, honest)).toEqual(['pass']);
  });

  it.each<[string, Columns[string]]>([
    ['a number that rises with it', numbers((row) => 15 * late[row]! + 10 * noise(row, 4))],
    ['a number that falls with it', numbers((row) => -15 * late[row]! + 10 * noise(row, 4))],
    [
      'a code that is no order',
      numbers((row) => (late[row] === 1 ? 2 : 1 + 2 * Math.floor(noise(row, 4) * 2))),
    ],
    ['a flag', Float64Array.from(late)],
    [
      'a time',
      BigInt64Array.from(each((row) => BigInt(1_000 * late[row]! + Math.floor(noise(row, 4) * 900)))),
    ],
    ['a text', each((row) => (late[row] === 1 ? `late-${row % 5}` : `fine-${row % 7}`))],
    ['a number that is missing where it is true', numbers((row) => (late[row] === 1 ? NaN : noise(row, 4)))],
    ['a text that is missing where it is false', each((row) => (late[row] === 1 ? `gate ${row % 9}` : ''))],
    [
      'a time that is missing where it is true',
      BigInt64Array.from(each((row) => (late[row] === 1 ? MISSING_TIMESTAMP : BigInt(row)))),
    ],
  ])('finds %s', async (_, leak) => {
    expect(await leaks('binary', late, { ...honest, leak })).toEqual(['fail leak']);
  });

  it('lets a good column pass that is wrong now and then', async () => {
    const good = numbers((row) => (noise(row, 5) < 0.03 ? 1 - late[row]! : late[row]!));
    expect(await leaks('binary', late, { good })).toEqual(['pass']);
  });

  it('is skipped where there are too few rows, or too few of one class', async () => {
    expect(await leaks('binary', late.slice(0, 150), { leak: late.slice(0, 150) })).toEqual(['skipped']);
    const few = numbers((row) => (row % 400 === 0 ? 1 : 0));
    expect(await leaks('binary', few, { leak: few })).toEqual(['skipped']);
  });
});

describe('labelLeaks of other labels', () => {
  const kinds = each((row) => ['a', 'b', 'c'][Math.floor(noise(row, 6) * 3)]!);

  it('finds columns that tell the class', async () => {
    const code = numbers((row) => kinds[row]!.charCodeAt(0));
    expect(await leaks('multiclass', kinds, { ...honest, code })).toEqual(['fail code']);
    expect(await leaks('multiclass', kinds, { ...honest, word: kinds.map((kind) => `${kind}!`) })).toEqual([
      'fail word',
    ]);
    expect(await leaks('multiclass', kinds, honest)).toEqual(['pass']);
  });

  it('is skipped where nearly all rows are of one class', async () => {
    const same = each((row) => (row % 100 === 0 ? 'b' : 'a'));
    expect(await leaks('multiclass', same, honest)).toEqual(['skipped']);
  });

  it('finds the label of a regression under any rising or falling function, and no mere correlation', async () => {
    const delay = numbers((row) => 100 * noise(row, 7) - 20);
    const columns = {
      seconds: delay.map((value) => value * 60),
      early: delay.map((value) => Math.exp(-value / 50)),
      rough: numbers((row) => delay[row]! + 10 * noise(row, 8)),
    };
    expect(await leaks('regression', delay, columns)).toEqual(['fail seconds', 'fail early']);
    expect(await leaks('regression', delay, { rough: columns.rough, ...honest })).toEqual(['pass']);
    expect(
      await leaks(
        'regression',
        numbers(() => 3),
        honest,
      ),
    ).toEqual(['skipped']);
  });
});

describe('the measures', () => {
  const value = fc.integer({ min: 0, max: 8 });
  const pairs = fc.array(fc.tuple(value, fc.constantFrom(0, 1)), { minLength: 2, maxLength: 60 });

  it('agree with the area counted over all pairs of rows', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const [of1, of0] = [1, 0].map((label) =>
          rows.filter((row) => row[1] === label).map(([score]) => score),
        );
        const wins = of1!.flatMap((a) => of0!.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
        const area = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        const found = separation(
          Float64Array.from(rows, ([score]) => score),
          Float64Array.from(rows, ([, label]) => label),
        );
        if (wins.length === 0) expect(found).toBeNull();
        else expect(found).toBeCloseTo(Math.max(area, 1 - area), 10);
      }),
    );
  });

  it('give equal values the mean of their ranks', () => {
    expect(midranks(Float64Array.of(5, 1, 5, 9))).toEqual(Float64Array.of(2.5, 1, 2.5, 4));
    expect(rankCorrelation(Float64Array.of(1, 2, 3), Float64Array.of(9, 4, 1))).toBeCloseTo(1, 12);
    expect(rankCorrelation(Float64Array.of(1, 1, 1), Float64Array.of(9, 4, 1))).toBeNull();
  });
});
