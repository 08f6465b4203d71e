import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RandomStream } from '../statistics/random.ts';
import { flights, openFlightModel, sampleOf } from '../testing/flight-artifact.ts';
import { BINARY_LABEL, REGRESSION_LABEL } from '../testing/linear-artifact.ts';
import { answersOf, isAnswer } from './answers.ts';
import { joinColumns, takeValues } from './raw-columns.ts';
import { thinSample } from './thin-sample.ts';
import { askVariations } from './variations.ts';

const opened: { release(): Promise<void> }[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.release();
});

async function open(options: Parameters<typeof openFlightModel>[0]) {
  const model = await openFlightModel(options);
  opened.push(model.inference);
  return model;
}

const WEIGHTS = [{ distance: 1, 'origin=ORD': 1, 'date:hourOfDay': 0.1 }];

describe('askVariations', () => {
  it('answers each variation as if it were asked alone, however many run together', async () => {
    const model = await open({ label: BINARY_LABEL, weights: WEIGHTS });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 3, 700, 5_000, 9_000),
        fc.integer({ min: 0, max: 20 }),
        async (rows, count) => {
          const batch = flights(new RandomStream([String(rows)]), rows);
          const variations = Array.from({ length: count }, (_, number) => ({
            number,
            changed: {
              distance: new Float64Array(rows).fill(number),
              origin: new Array<string>(rows).fill('ORD'),
            },
          }));
          let number = 0;
          for await (const answer of askVariations({ model, batch, variations })) {
            expect(answer.variation.number).toBe(number);
            if ('problem' in answer) throw new Error(answer.problem);
            const alone: ColumnBatch = {
              rows,
              columns: { ...batch.columns, ...variations[number]!.changed },
            };
            const expected = answersOf(await model.run(alone)).values;
            const { values } = answersOf(answer.output);
            expect(values).toHaveLength(rows);
            expect(values.every((value, row) => Math.abs(value - expected[row]!) < 1e-6)).toBe(true);
            number++;
          }
          expect(number).toBe(count);
        },
      ),
      { numRuns: 12 },
    );
  });

  const label = { kind: 'multiclass' as const, name: 'arrival', classes: ['early', 'late', 'on time'] };
  it.each([
    { kind: 'regression', width: 1, asked: { label: REGRESSION_LABEL, weights: WEIGHTS } },
    { kind: 'multiclass', width: 3, asked: { label, weights: [{ distance: 1 }, { distance: -1 }, {}] } },
  ])('parts the answers of a $kind model by variation', async ({ asked, width }) => {
    const model = await open(asked);
    const batch = flights(new RandomStream(['parts']), 10);
    const other = new Float64Array(10).fill(3);
    const variations = [{ changed: {} }, { changed: { distance: other } }];
    const outputs: Float32Array[] = [];
    for await (const answer of askVariations({ model, batch, variations })) {
      if ('problem' in answer) throw new Error(answer.problem);
      expect(answersOf(answer.output).width).toBe(width);
      outputs.push(answersOf(answer.output).values);
    }
    const { values } = answersOf(
      await model.run({ rows: 10, columns: { ...batch.columns, distance: other } }),
    );
    expect(outputs[0]).toHaveLength(10 * width);
    expect([...outputs[1]!]).toEqual([...values]);
  });

  it('does not take a fault of ours for one of the model', async () => {
    const model = await open({ label: BINARY_LABEL, weights: WEIGHTS });
    const broken = { ...model, run: () => Promise.reject(new TypeError('a fault of ours')) };
    const batch = flights(new RandomStream(['fault']), 2);
    const asking = askVariations({ model: broken, batch, variations: [{ changed: {} }] }).next();
    await expect(asking).rejects.toThrow('a fault of ours');
  });
});

describe('thinSample', () => {
  it('takes rows evenly, each with its own values, label and number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 60 }), (rows, most) => {
        const batch = flights(new RandomStream(['thin']), rows);
        const sample = sampleOf(
          batch,
          Float64Array.from({ length: rows }, (_, row) => row),
        );
        const thinned = thinSample(sample, most);
        const size = Math.min(rows, most);
        expect(thinned.batch.rows).toBe(size);
        expect(thinned.rows).toHaveLength(size);
        const from = [...thinned.rows].map((number) => number / 3);
        expect(new Set(from).size).toBe(size);
        expect([...thinned.labels]).toEqual(from);
        for (const [name, column] of Object.entries(thinned.batch.columns)) {
          expect([...column]).toEqual(from.map((row) => batch.columns[name]![row]));
        }
        const gaps = from.slice(1).map((row, index) => row - from[index]!);
        if (gaps.length > 0) expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('raw columns', () => {
  const column = fc.oneof(
    fc.array(fc.double()).map((values): RawColumn => Float64Array.from(values)),
    fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)).map((values): RawColumn => BigInt64Array.from(values)),
    fc.array(fc.string()).map((values): RawColumn => values),
  );

  it('are joined and taken apart without loss', () => {
    fc.assert(
      fc.property(column, (values) => {
        const joined = joinColumns([values, values]);
        expect(joined.constructor).toBe(values.constructor);
        const second = Uint32Array.from({ length: values.length }, (_, row) => values.length + row);
        expect(takeValues(joined, second)).toEqual(values);
      }),
    );
  });
});

describe('isAnswer', () => {
  it('takes probabilities within 0 and 1 and numbers that are finite', () => {
    for (const value of [0, 0.5, 1]) expect(isAnswer(value, 'binary')).toBe(true);
    for (const value of [-1e-7, 1.0000001, NaN, Infinity]) {
      expect(isAnswer(value, 'binary')).toBe(false);
      expect(isAnswer(value, 'multiclass')).toBe(false);
    }
    for (const value of [-5, 0, 3e38]) expect(isAnswer(value, 'regression')).toBe(true);
    for (const value of [NaN, Infinity, -Infinity]) expect(isAnswer(value, 'regression')).toBe(false);
  });
});
