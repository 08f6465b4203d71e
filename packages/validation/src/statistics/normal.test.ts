import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from './normal.ts';

describe('normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.841344746068543],
    [1.959963984540054, 0.975],
    [-1.6448536269514722, 0.05],
    [-6, 9.865876450376946e-10],
    [-8, 6.220960574271785e-16],
  ])('has the published distribution function at %f', (x, probability) => {
    expect(normalCdf(x) / probability).toBeCloseTo(1, 7);
  });

  it.each([
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.001, -3.090232306167813],
  ])('has the published quantile of %f', (probability, x) => {
    expect(normalQuantile(probability)).toBeCloseTo(x, 9);
  });

  it('is infinite at the ends and not a number outside', () => {
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
    expect(normalQuantile(1.01)).toBeNaN();
    expect(normalQuantile(Number.NaN)).toBeNaN();
    expect(normalCdf(Number.NaN)).toBeNaN();
    expect(normalCdf(40)).toBe(1);
    expect(normalCdf(-40)).toBe(0);
  });
});
