/** How numbers stand in the gate's sentences. */

export function rowsText(rows: number): string {
  return rows === 1 ? '1 test row' : `${countText(rows)} test rows`;
}

export function countText(count: number): string {
  return new Intl.NumberFormat('en-US').format(count);
}

/** Four decimals, or two significant digits of what would vanish among them. */
export function metricText(value: number): string {
  const digits = Math.abs(value) < 0.01 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 4 };
  return new Intl.NumberFormat('en-US', digits).format(value);
}

export function signedText(value: number): string {
  return value > 0 ? `+${metricText(value)}` : metricText(value).replace('-', '−');
}

/** `95 %`; what is nearer to certainty than 99.99 % is said by its error: `all but 4.7e-5`. */
export function confidenceText(confidence: number): string {
  const error = 1 - confidence;
  if (error < 1e-4) return `all but ${error.toPrecision(2)}`;
  return `${new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }).format(confidence * 100)} %`;
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
