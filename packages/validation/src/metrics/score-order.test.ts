import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreOrder } from './score-order.ts';

describe('scoreOrder', () => {
  it('orders as a stable comparing sort does, negative numbers, zeros of both signs and infinities included', () => {
    const score = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 0.5, Infinity, -Infinity));
    fc.assert(
      fc.property(fc.array(score, { maxLength: 80 }), (list) => {
        const scores = Float32Array.from(list);
        // By `<`, since subtracting infinities gives NaN.
        const expected = [...scores.keys()].sort((a, b) =>
          scores[a]! < scores[b]! ? -1 : scores[a]! > scores[b]! ? 1 : a - b,
        );
        expect([...scoreOrder(scores)]).toEqual(expected);
      }),
    );
  });
});
