import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../fit/random.ts';
import { fitIsotonic, valueAt, type Points } from './isotonic.ts';

const rows = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1)), {
    minLength: 2,
    maxLength: 300,
  })
  .map((pairs) => ({
    probabilities: Float32Array.from(pairs, ([p]) => p),
    targets: Float32Array.from(pairs, ([, y]) => y),
  }));

/** Area under the ROC curve by ranks, ties counting half. */
function auc(scores: Float32Array, targets: Float32Array): number {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  let [wins, below] = [0, 0];
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to += 1;
    const tied = order.slice(from, to);
    const positives = tied.filter((row) => targets[row] === 1).length;
    wins += positives * (below + (tied.length - positives) / 2);
    below += tied.length - positives;
    from = to;
  }
  return wins / (below * (targets.length - below));
}

/** Rows whose label is true with `truth` of their probability. */
function drawn(count: number, truth: (p: number) => number) {
  const random = new RandomStream(11);
  const probabilities = Float32Array.from({ length: count }, () => random.float());
  const targets = Float32Array.from(probabilities, (p) => (random.float() < truth(p) ? 1 : 0));
  return { probabilities, targets };
}

function applied(points: Points, probabilities: Float32Array): Float32Array {
  return probabilities.map((p) => valueAt(points, p));
}

describe('a fitted rising function', () => {
  it('rises strictly, has at most 64 points and stays within 0 and 1, for any rows', () => {
    fc.assert(
      fc.property(rows, ({ probabilities, targets }) => {
        const points = fitIsotonic(probabilities, targets);
        expect(points.length).toBeLessThanOrEqual(64);
        expect(points.length).toBeGreaterThanOrEqual(2);
        points.forEach(([x, y], i) => {
          expect(y).toBeGreaterThan(0);
          expect(y).toBeLessThan(1);
          if (i === 0) return;
          expect(Math.fround(x)).toBeGreaterThan(Math.fround(points[i - 1]![0]));
          expect(y).toBeGreaterThan(points[i - 1]![1]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('finds what the probabilities ought to be', () => {
    const truth = (p: number) => 0.1 + 0.6 * p * p;
    const { probabilities, targets } = drawn(50_000, truth);
    const points = fitIsotonic(probabilities, targets);
    for (const p of [0.1, 0.3, 0.5, 0.7, 0.9])
      expect(Math.abs(valueAt(points, p) - truth(p))).toBeLessThan(0.03);
  });

  it('does not lower the AUC, for what the network told apart stays apart', () => {
    const { probabilities, targets } = drawn(20_000, (p) => p ** 3);
    const points = fitIsotonic(probabilities, targets);
    const before = auc(probabilities, targets);
    expect(auc(applied(points, probabilities), targets)).toBeGreaterThan(before - 1e-5);
  });

  it('has to do with rows of one and the same probability', () => {
    const probabilities = new Float32Array(200).fill(0.25);
    const targets = Float32Array.from({ length: 200 }, (_, row) => Number(row % 2 === 0));
    const points = fitIsotonic(probabilities, targets);
    expect(valueAt(points, 0.25)).toBeCloseTo(0.5, 2);
  });

  it('has to do with probabilities that are all next to 0 or next to 1', () => {
    const probabilities = Float32Array.from({ length: 400 }, (_, row) =>
      row < 200 ? row * 1e-9 : 1 - row * 1e-8,
    );
    const targets = Float32Array.from({ length: 400 }, (_, row) => Number(row >= 200));
    const points = fitIsotonic(probabilities, targets);
    expect(valueAt(points, 0)).toBeLessThan(0.01);
    expect(valueAt(points, 1)).toBeGreaterThan(0.99);
  });

  it('says of what is no number that it is none', () => {
    expect(
      valueAt(
        [
          [0, 0.1],
          [1, 0.9],
        ],
        NaN,
      ),
    ).toBeNaN();
  });
});
