import type { Metric } from '@perennial/contract';
import type { ScoredRows } from '../scoring/scored-rows.ts';

/**
 * Fewest rows a verdict rests on. Below it the bootstrap's intervals are too narrow: of 20 rows a nominal 95 % bound holds in about 93 %,
 * of 10 rows in less than 90 %.
 */
export const FEWEST_ROWS = 20;
/** Fewest rows of each class where the metric ranks one class against the other: AUC is as sure as its rarer class allows. */
export const FEWEST_ROWS_OF_A_CLASS = 10;

/** In words, what the rows lack for a verdict; null where there are enough. */
export function shortageOf(metric: Metric, scored: ScoredRows): string | null {
  const rows = scored.labels.length;
  if (rows < FEWEST_ROWS) return `There are ${rows} test rows, and at least ${FEWEST_ROWS} are needed`;
  if (metric !== 'auc' || scored.kind !== 'binary') return null;
  const positives = scored.labels.reduce((sum, label) => sum + label, 0);
  const rarer = Math.min(positives, rows - positives);
  if (rarer >= FEWEST_ROWS_OF_A_CLASS) return null;
  return `The rarer label has ${rarer} of the rows, and at least ${FEWEST_ROWS_OF_A_CLASS} are needed`;
}
