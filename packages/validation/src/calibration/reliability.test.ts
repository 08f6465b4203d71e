import { calibrationReportSchema } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BinaryRows, MulticlassRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { calibrationOf } from './reliability.ts';
import { wilsonInterval } from './wilson.ts';

function binary(rows: { label: number; probability: number }[]): BinaryRows {
  return {
    kind: 'binary',
    labels: Uint8Array.from(rows, ({ label }) => label),
    probability: Float32Array.from(rows, ({ probability }) => probability),
    decision: new Uint8Array(rows.length),
  };
}

const anyRows = fc.array(
  fc.record({ label: fc.constantFrom(0, 1), probability: fc.float({ min: 0, max: 1, noNaN: true }) }),
  { minLength: 1, maxLength: 200 },
);

/** Rows whose label comes true with `truth` of the probability said. */
function simulate(rows: number, truth: (probability: number) => number): BinaryRows {
  const random = new RandomStream(['calibration', String(rows)]);
  return binary(
    Array.from({ length: rows }, () => {
      const probability = random.nextFraction();
      return { probability, label: random.nextFraction() < truth(probability) ? 1 : 0 };
    }),
  );
}

describe('the calibration of probabilities', () => {
  it('counts every row once, in bins by rising probability, for any rows', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const report = calibrationOf(binary(rows))!;
        expect(calibrationReportSchema.parse(report)).toEqual(report);
        expect(report.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(rows.length);
        expect(report.bins.length).toBeLessThanOrEqual(15);
        const means = report.bins.map((bin) => bin.meanProbability);
        expect(means).toEqual([...means].sort((a, b) => a - b));
        for (const { share, interval } of report.bins) {
          expect(interval.low).toBeLessThanOrEqual(share);
          expect(interval.high).toBeGreaterThanOrEqual(share);
        }
      }),
    );
  });

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const report = calibrationOf(binary(rows))!;
        const turned = calibrationOf(binary([...rows].reverse()))!;
        expect(turned.error).toBeCloseTo(report.error, 10);
        expect(turned.bins.map(({ rows: size }) => size)).toEqual(report.bins.map(({ rows: size }) => size));
      }),
    );
  });

  it('finds no error but chance in honest probabilities, and the distance in others', () => {
    expect(calibrationOf(simulate(50_000, (p) => p))!.error).toBeLessThan(0.01);
    const timid = calibrationOf(simulate(50_000, (p) => p / 2))!;
    // Mean of p − p/2 over [0, 1].
    expect(timid.error).toBeCloseTo(0.25, 2);
  });

  it('has ten bins of few rows and fifteen of many, as even as can be', () => {
    const sizes = (rows: number) => calibrationOf(simulate(rows, (p) => p))!.bins.map((bin) => bin.rows);
    expect(sizes(200)).toEqual(new Array(10).fill(20));
    expect(sizes(1_200)).toEqual(new Array(12).fill(100));
    expect(sizes(6_000)).toEqual(new Array(15).fill(400));
  });

  it('never parts rows of one probability', () => {
    const report = calibrationOf(
      binary(Array.from({ length: 100 }, (_, row) => ({ probability: 0.25, label: row % 2 }))),
    )!;
    expect(report).toMatchObject({ error: 0.25, bins: [{ rows: 100, meanProbability: 0.25, share: 0.5 }] });
  });

  it('judges the decided class of a multiclass label', () => {
    const rows: MulticlassRows = {
      kind: 'multiclass',
      classes: 3,
      classNames: ['a', 'b', 'c'],
      labels: Int32Array.of(0, 1, 2, 0),
      decision: Int32Array.of(0, 1, 0, 1),
      labelProbability: Float32Array.of(0.75, 0.75, 0.125, 0.125),
      decisionProbability: Float32Array.of(0.75, 0.75, 0.75, 0.75),
    };
    expect(calibrationOf(rows)).toMatchObject({ error: 0.25, bins: [{ rows: 4, share: 0.5 }] });
  });

  it('says nothing of numbers, and nothing without rows', () => {
    expect(calibrationOf(binary([]))).toBeNull();
    expect(
      calibrationOf({ kind: 'regression', labels: Float64Array.of(1), value: Float32Array.of(1) }),
    ).toBeNull();
  });
});

describe("Wilson's interval", () => {
  it('gives the values of the literature', () => {
    // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, and 0 of 20.
    const most = wilsonInterval({ hits: 81, rows: 263 }, 0.95);
    expect(most.low).toBeCloseTo(0.2553, 4);
    expect(most.high).toBeCloseTo(0.3662, 4);
    const none = wilsonInterval({ hits: 0, rows: 20 }, 0.95);
    expect(none.low).toBe(0);
    expect(none.high).toBeCloseTo(0.1611, 4);
  });

  it('lies within 0 and 1 around the share, and is mirrored with hits and misses', () => {
    const sample = fc
      .integer({ min: 1, max: 1_000 })
      .chain((rows) => fc.record({ rows: fc.constant(rows), hits: fc.integer({ min: 0, max: rows }) }));
    fc.assert(
      fc.property(sample, ({ hits, rows }) => {
        const { low, high } = wilsonInterval({ hits, rows }, 0.9);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(hits / rows);
        expect(high).toBeGreaterThanOrEqual(hits / rows);
        const mirrored = wilsonInterval({ hits: rows - hits, rows }, 0.9);
        expect(mirrored.low).toBeCloseTo(1 - high, 10);
      }),
    );
  });
});
