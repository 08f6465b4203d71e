import type { Interval } from '@perennial/contract';
import { boundsText, percentText } from './number-text.ts';

export interface IntervalColumn {
  head: string;
  cells: string[];
}

/** A table's column of intervals; their confidence stands in the head where it is the same for all. */
export function intervalColumn(intervals: readonly (Interval | null | undefined)[]): IntervalColumn {
  const known = intervals.filter((interval) => interval !== null && interval !== undefined);
  const confidences = new Set(known.map(({ confidence }) => confidence));
  const [only] = confidences.size === 1 ? confidences : [];
  return {
    head: only === undefined ? 'Interval' : `Interval (${percentText(only)})`,
    cells: intervals.map((interval) => {
      if (interval === null || interval === undefined) return '';
      return only === undefined ? intervalText(interval) : boundsText(interval);
    }),
  };
}

function intervalText(interval: Interval): string {
  return `${boundsText(interval)} at ${percentText(interval.confidence)}`;
}
