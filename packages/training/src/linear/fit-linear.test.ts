import type { FittedLabel } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { emptyRows, type EncodedRows } from '../fit/encoded-rows.ts';
import { RandomStream } from '../fit/random.ts';
import { BINARY } from '../testing/learnable-task.ts';
import { fitLinear, type LinearModel } from './fit-linear.ts';

const REGRESSION: FittedLabel = { kind: 'regression', name: 'y', center: 0, scale: 1 };
const CLASSES: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['a', 'b', 'c'] };
const SIZES = new Map([['place', 5]]);

/** What the answers are drawn from: 1.5 · a − 2 · b / 1000 + a number per place, with `b` in thousands and far from 0. */
const PLACES = [0.5, -1, 0, 1.5, -0.5];
function score(a: number, b: number, place: number): number {
  return 1.5 * a - (2 * (b - 5000)) / 1000 + PLACES[place]!;
}

function rowsOf(count: number, target: (score: number, random: RandomStream) => number): EncodedRows {
  const random = new RandomStream(21);
  const rows = emptyRows(count, 2, ['place']);
  for (let row = 0; row < count; row++) {
    const [a, b, place] = [random.float() * 2 - 1, 4000 + random.float() * 2000, random.below(5)];
    rows.dense.set([a, b], row * 2);
    rows.indices.get('place')![row] = place;
    rows.targets[row] = target(score(a, b, place), random);
  }
  return rows;
}

function answer(model: LinearModel, rows: EncodedRows, row: number): number[] {
  return Array.from(model.bias, (bias, k) => {
    const place = rows.indices.get('place')![row]!;
    const columns = rows.dense.subarray(row * 2, row * 2 + 2);
    const dense = columns.reduce((sum, x, i) => sum + x * model.kernel[i * model.width + k]!, 0);
    return bias + dense + model.tables.get('place')![place * model.width + k]!;
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe('a linear model', () => {
  it('finds the odds that binary labels were drawn with, whatever the size of a column', () => {
    const rows = rowsOf(40_000, (s, random) => (random.float() < sigmoid(s) ? 1 : 0));
    const model = fitLinear({ rows, label: BINARY, sizes: SIZES, seed: 1 });
    const loss = (logit: (row: number) => number) =>
      rows.targets.reduce(
        (sum, y, row) => sum + Math.log1p(Math.exp(y === 1 ? -logit(row) : logit(row))),
        0,
      ) / rows.rows;
    const truth = loss((row) =>
      score(rows.dense[row * 2]!, rows.dense[row * 2 + 1]!, rows.indices.get('place')![row]!),
    );
    expect(loss((row) => answer(model, rows, row)[0]!)).toBeLessThan(truth + 0.002);
    expect(Math.abs(model.kernel[0]! - 1.5)).toBeLessThan(0.1);
    expect(Math.abs(model.kernel[1]! * 1000 + 2)).toBeLessThan(0.1);
  });

  it('finds the line that values lie about', () => {
    const rows = rowsOf(20_000, (s, random) => s + random.float() - 0.5);
    const model = fitLinear({ rows, label: REGRESSION, sizes: SIZES, seed: 1 });
    const squares = rows.targets.reduce((sum, y, row) => sum + (y - answer(model, rows, row)[0]!) ** 2, 0);
    // The noise alone has a mean square of 1/12.
    expect(squares / rows.rows).toBeLessThan(1.02 / 12);
  });

  it('tells several classes apart, and pays no heed to rows of an unknown one', () => {
    const rows = rowsOf(20_000, (s) => (s < -1 ? 0 : s < 1 ? 1 : 2));
    for (let row = 0; row < rows.rows; row += 10) rows.targets[row] = -1;
    const model = fitLinear({ rows, label: CLASSES, sizes: SIZES, seed: 1 });
    let [right, known] = [0, 0];
    rows.targets.forEach((target, row) => {
      if (target < 0) return;
      const answers = answer(model, rows, row);
      known += 1;
      right += Number(answers.indexOf(Math.max(...answers)) === target);
    });
    expect(right / known).toBeGreaterThan(0.9);
  });

  it('looks at the newest 100,000 rows', () => {
    const rows = emptyRows(100_500, 1, []);
    rows.dense.forEach((_, row) => (rows.dense[row] = row % 2));
    rows.targets.forEach((_, row) => (rows.targets[row] = row < 500 ? 1000 : row % 2));
    const model = fitLinear({ rows, label: REGRESSION, sizes: new Map(), seed: 1 });
    expect(model.bias[0]).toBeCloseTo(0, 1);
    expect(model.kernel[0]).toBeCloseTo(1, 1);
  });

  it('has no use for a column that is always the same', () => {
    const rows = emptyRows(500, 2, []);
    rows.targets.forEach((_, row) => rows.dense.set([7, row % 2], row * 2));
    rows.targets.forEach((_, row) => (rows.targets[row] = row % 2));
    const model = fitLinear({ rows, label: BINARY, sizes: new Map(), seed: 1 });
    expect(model.kernel[0]).toBe(0);
    expect(model.kernel[1]).toBeGreaterThan(1);
  });

  it('is the same for the same rows and seed', () => {
    const rows = rowsOf(2_000, (s) => Number(s > 0));
    const fitted = () => fitLinear({ rows, label: BINARY, sizes: SIZES, seed: 5 });
    expect(fitted()).toEqual(fitted());
  });
});
