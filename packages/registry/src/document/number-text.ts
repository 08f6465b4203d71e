import type { Interval } from '@perennial/contract';

/** Counts in full, other numbers to four significant digits. */
export function numberText(value: number): string {
  const digits = Number.isInteger(value) ? {} : { maximumSignificantDigits: 4 };
  return new Intl.NumberFormat('en-US', digits).format(value);
}

/** A metric or a difference of metrics: four places behind the point, so that those of a column stand below each other. */
export function metricText(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.0005)
    return new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 }).format(value);
  return Math.abs(value) < 10 ? value.toFixed(4) : numberText(value);
}

/** As `metricText`, of a value that may not be defined. */
export function definedText(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not defined' : metricText(value);
}

/** A probability by which something would be chance; smaller ones than 1 in 10,000 are hardly known to a digit. */
export function pValueText(pValue: number): string {
  return pValue < 0.0001 ? '< 0.0001' : pValue.toFixed(4);
}

/** A difference with its sign. */
export function signedText(value: number): string {
  return `${value > 0 ? '+' : ''}${metricText(value)}`;
}

export function boundsText({ low, high }: Interval): string {
  return `${metricText(low)} to ${metricText(high)}`;
}

/** A share as percent, to as many digits as are needed. */
export function percentText(share: number): string {
  return `${numberText(Number((share * 100).toPrecision(4)))} %`;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** In units of 1,000. */
export function bytesText(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  return `${numberText(Number((bytes / 1_000 ** power).toPrecision(3)))} ${UNITS[power] ?? ''}`;
}

export function secondsText(seconds: number): string {
  if (seconds < 120) return `${numberText(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An instant to the minute, in UTC. */
export function instantText(instant: string): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `1 row`, `2 rows`. */
export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
