const NUMERATOR = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
  221.213596169931, 220.206867912376,
];
const DENOMINATOR = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
  637.333633378831, 793.826512519948, 440.413735824752,
];

/**
 * Distribution function of the standard normal, to 1e-15 and in the tails to 8 digits (Hart's rational approximation as given by G. West, "Better
 * approximations to cumulative normal functions", Wilmott, 2005).
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const lower = lowerTail(Math.abs(x));
  return x > 0 ? 1 - lower : lower;
}

/** Probability below `-size`. */
function lowerTail(size: number): number {
  if (size > 37) return 0;
  const density = Math.exp((-size * size) / 2);
  if (size < 7.07106781186547) return (density * horner(NUMERATOR, size)) / horner(DENOMINATOR, size);
  const fraction = size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))));
  return density / fraction / 2.506628274631;
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/**
 * The point below which a standard normal lies with a probability in [0, 1]; infinite at both ends. Hastings' approximation (Abramowitz &
 * Stegun, 26.2.23), right to 4.5e-4, and three of Halley's steps with {@link normalCdf}, each of which triples the right digits.
 */
export function normalQuantile(probability: number): number {
  if (!(probability >= 0 && probability <= 1)) return Number.NaN;
  if (probability > 0.5) return -normalQuantile(1 - probability);
  if (probability === 0) return -Infinity;
  if (probability === 0.5) return 0;
  let x = hastings(probability);
  for (let step = 0; step < 3; step++) {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const newton = (normalCdf(x) - probability) / density;
    x -= newton / (1 + (x * newton) / 2);
  }
  return x;
}

function hastings(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(probability));
  const numerator = 2.515517 + t * (0.802853 + t * 0.010328);
  const denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return numerator / denominator - t;
}
