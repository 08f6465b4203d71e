import type { Difference } from '@perennial/contract';

/**
 * About how many rows would take the interval off the margin, should the difference stay as it is: its reach shrinks with the root of
 * the rows. Null where the difference lies so near the margin that more than a thousand times the rows would be needed.
 */
export function rowsToSettle(difference: Difference, margin: number, rows: number): number | null {
  const distance = difference.value + margin;
  const reach =
    distance > 0 ? difference.value - difference.interval.low : difference.interval.high - difference.value;
  const factor = (reach / distance) ** 2;
  return factor <= 1_000 ? Math.max(rows, Number(Math.ceil(rows * factor).toPrecision(2))) : null;
}
