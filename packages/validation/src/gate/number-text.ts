/** How numbers stand in the gate's sentences. */

// Made once: a format of its own for every number costs 50 µs each.
const WHOLE = new Intl.NumberFormat('en-US');
const FOUR_DECIMALS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 4 });
const TWO_DIGITS = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const TWO_DECIMALS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

export function rowsText(rows: number): string {
  return rows === 1 ? '1 test row' : `${countText(rows)} test rows`;
}

export function countText(count: number): string {
  return WHOLE.format(count);
}

/** Four decimals, or two significant digits of what would vanish among them. */
export function metricText(value: number): string {
  return (Math.abs(value) < 0.01 ? TWO_DIGITS : FOUR_DECIMALS).format(value);
}

export function signedText(value: number): string {
  return value > 0 ? `+${metricText(value)}` : metricText(value).replace('-', '−');
}

/** `95 %`; what is nearer to certainty than 99.99 % is said by its error: `all but 4.7e-5`. */
export function confidenceText(confidence: number): string {
  const error = 1 - confidence;
  if (error < 1e-4) return `all but ${error.toPrecision(2)}`;
  return `${TWO_DECIMALS.format(confidence * 100)} %`;
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
