import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../fit/random.ts';
import { atTemperature, fitTemperature, sigmoid, softmax, type LabelledLogits } from './temperature.ts';

/** Rows whose labels are drawn from the probabilities that `true` logits give; the network says `factor` times those logits. */
function binaryRows(count: number, factor: number): LabelledLogits {
  const random = new RandomStream(3);
  const truth = Float64Array.from({ length: count }, () => random.float() * 6 - 3);
  return {
    logits: Float32Array.from(truth, (logit) => logit * factor),
    width: 1,
    targets: Float32Array.from(truth, (logit) => (random.float() < sigmoid(logit) ? 1 : 0)),
  };
}

function multiclassRows(count: number, factor: number): LabelledLogits {
  const random = new RandomStream(4);
  const truth = Float32Array.from({ length: count * 3 }, () => random.float() * 6 - 3);
  const targets = Float32Array.from({ length: count }, (_, row) => {
    const [a, b] = softmax(truth.subarray(row * 3, row * 3 + 3), 1);
    const draw = random.float();
    return draw < a! ? 0 : draw < a! + b! ? 1 : 2;
  });
  return { logits: truth.map((logit) => logit * factor), width: 3, targets };
}

function logLoss({ logits, width, targets }: LabelledLogits, temperature: number): number {
  const probabilities = atTemperature(logits, width, temperature);
  const given = (target: number, row: number) => {
    if (target < 0) return 1;
    if (width > 1) return probabilities[row * width + target]!;
    return target === 1 ? probabilities[row]! : 1 - probabilities[row]!;
  };
  return targets.reduce((sum, target, row) => sum - Math.log(given(target, row)), 0);
}

describe('a fitted temperature', () => {
  it.each([0.5, 1, 3])('finds by how much logits are too large: %d times', (factor) => {
    expect(fitTemperature(binaryRows(20_000, factor)) / factor).toBeCloseTo(1, 1);
    expect(fitTemperature(multiclassRows(20_000, factor)) / factor).toBeCloseTo(1, 1);
  });

  it('has the least log loss of all temperatures', () => {
    const rows = fc.record({
      logits: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 40, maxLength: 40 }),
      targets: fc.array(fc.constantFrom(0, 1), { minLength: 40, maxLength: 40 }),
      other: fc.double({ min: 0.05, max: 20, noNaN: true }),
    });
    fc.assert(
      fc.property(rows, ({ logits, targets, other }) => {
        const drawn = { logits: Float32Array.from(logits), width: 1, targets: Float32Array.from(targets) };
        const best = logLoss(drawn, fitTemperature(drawn));
        // The losses are sums over float32 probabilities.
        expect(best).toBeLessThanOrEqual(logLoss(drawn, other) + 1e-3);
      }),
    );
  });

  it('stays within its bounds where the rows are told apart without an error, or always wrongly', () => {
    const logits = Float32Array.of(-3, -1, 2, 4);
    const right = fitTemperature({ logits, width: 1, targets: Float32Array.of(0, 0, 1, 1) });
    const wrong = fitTemperature({ logits, width: 1, targets: Float32Array.of(1, 1, 0, 0) });
    expect(right).toBeCloseTo(0.05, 3);
    expect(wrong).toBeCloseTo(20, 3);
  });

  it('pays no heed to rows of an unknown class', () => {
    const rows = multiclassRows(500, 2);
    const more = {
      logits: Float32Array.of(...rows.logits, 9, -9, 0),
      width: 3,
      targets: Float32Array.of(...rows.targets, -1),
    };
    expect(fitTemperature(more)).toBeCloseTo(fitTemperature(rows), 10);
  });
});
