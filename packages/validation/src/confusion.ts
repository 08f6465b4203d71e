import type { Confusion } from '@perennial/contract';
import type { ScoredRows } from './scoring/scored-rows.ts';

/** Most classes whose confusions are counted: beyond them the table is too large to be read, and grows with their square. */
const MOST_CLASSES = 50;

/** Rows by true and decided class; null for numbers, and for more than {@link MOST_CLASSES} classes. */
export function confusionOf(scored: ScoredRows): Confusion | null {
  switch (scored.kind) {
    case 'binary':
      return { classes: ['false', 'true'], counts: countPairs(scored, 2) };
    case 'multiclass':
      return scored.classes > MOST_CLASSES
        ? null
        : { classes: [...scored.classNames], counts: countPairs(scored, scored.classes) };
    case 'regression':
      return null;
  }
}

function countPairs(
  { labels, decision }: { labels: Uint8Array | Int32Array; decision: Uint8Array | Int32Array },
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]![decision[row]!]!++;
  return counts;
}
