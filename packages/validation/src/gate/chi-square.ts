import { normalCdf } from '../statistics/normal.ts';

/**
 * Probability that the sum of so many squared standard normal numbers lies above a value: the finite sums of Abramowitz & Stegun, 26.4.4
 * and 26.4.5, for odd and for even degrees of freedom.
 *
 * @param degrees whole, at least 1
 */
export function chiSquareTail(value: number, degrees: number): number {
  if (value <= 0) return 1;
  const half = value / 2;
  const odd = degrees % 2 === 1;
  let tail = odd ? 2 * normalCdf(-Math.sqrt(value)) : Math.exp(-half);
  // Each further two degrees add half^power · e^−half / Γ(power + 1); as logarithms, since both factors leave the range of numbers.
  let power = odd ? 0.5 : 1;
  let logGamma = odd ? Math.log(Math.sqrt(Math.PI) / 2) : 0;
  for (let reached = odd ? 1 : 2; reached < degrees; reached += 2) {
    tail += Math.exp(power * Math.log(half) - half - logGamma);
    power++;
    logGamma += Math.log(power);
  }
  return Math.min(1, tail);
}

/** The value that a chi-square number exceeds with a probability in (0, 1]; by bisection, since it is asked once a gate. */
export function chiSquareQuantile(tail: number, degrees: number): number {
  let high = degrees;
  while (chiSquareTail(high, degrees) > tail) high *= 2;
  let low = 0;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (chiSquareTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return high;
}
