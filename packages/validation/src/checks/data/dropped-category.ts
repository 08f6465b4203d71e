import type { CheckFinding } from '../finding.ts';
import { columnPairs, type CardPair, type ColumnPair } from './card-pair.ts';
import { shareText } from '../wording.ts';

/** Share of the champion's training rows from which on a category is frequent. */
export const FREQUENT_SHARE = 0.01;

/** A frequent category has vanished when less than this part of its share is left. */
export const LEFT_SHARE = 0.1;

/** Fewest rows that a category would have to have now, were its share what it was: of 30 expected, 2 come by chance once in ten million. */
const EXPECTED_ROWS = 30;

/** Categories named in one explanation. */
const NAMED = 5;

interface Dropped {
  value: string;
  champion: number;
  candidate: number;
}

/** One failure per column that lost categories which were frequent in the champion's training rows; one pass where none did. */
export function droppedCategoryFindings(cards: CardPair): CheckFinding[] {
  const failures = columnPairs(cards).flatMap((pair) => {
    const dropped = droppedCategories(pair);
    return dropped.length === 0 ? [] : [failure(pair, dropped)];
  });
  if (failures.length > 0) return failures;
  return [
    {
      name: 'dropped-category',
      subject: null,
      outcome: 'pass',
      explanation: `Every category that had at least ${shareText(FREQUENT_SHARE)} of the champion's training rows is still there.`,
      measured: null,
      limit: LEFT_SHARE,
    },
  ];
}

function droppedCategories({ champion, candidate }: ColumnPair): Dropped[] {
  const top = candidate.summary.top ?? [];
  const now = new Map(top.map(({ value, rows }) => [value, rows]));
  // A card names so many values only: one that it leaves out may have as many rows as the last of them.
  const unnamed = candidate.summary.distinct > top.length ? (top.at(-1)?.rows ?? 0) : 0;
  return (champion.summary.top ?? [])
    .map(({ value, rows }) => ({
      value,
      champion: rows / champion.rows,
      candidate: (now.get(value) ?? unnamed) / candidate.rows,
    }))
    .filter(
      (category) =>
        category.champion >= FREQUENT_SHARE &&
        category.champion * candidate.rows >= EXPECTED_ROWS &&
        category.candidate < category.champion * LEFT_SHARE,
    );
}

function failure({ feature, column }: ColumnPair, dropped: readonly Dropped[]): CheckFinding {
  const named = dropped.slice(0, NAMED).map(({ value, champion, candidate }) => {
    const left = candidate === 0 ? 'none' : shareText(candidate);
    return `'${value}' (${shareText(champion)} of the champion's training rows, ${left} now)`;
  });
  const more = dropped.length > NAMED ? ` and ${dropped.length - NAMED} more` : '';
  return {
    name: 'dropped-category',
    subject: feature,
    outcome: 'fail',
    explanation: `The column '${column}' lost ${named.join(', ')}${more}.`,
    measured: Math.max(...dropped.map(({ champion, candidate }) => candidate / champion)),
    limit: LEFT_SHARE,
  };
}
