import { METRIC_TITLES, type SliceComparison } from '@perennial/contract';
import type { ComparedSlices } from '../slices/compare-slices.ts';
import type { CheckFinding } from './finding.ts';
import { numberText, rowsText } from './wording.ts';

/** Slices that a sentence names; the report has ten. */
const MOST_NAMED = 3;

/**
 * Whether the candidate is clearly worse on a part of the rows, however good it is on all of them.
 * @param margin how much worse a slice may be
 */
export function checkSlices(slices: ComparedSlices, margin: number): CheckFinding[] {
  const { compared, tooSmall, clearlyWorse, worst } = slices;
  const finding = { name: 'slices', subject: null, limit: -margin } as const;
  const measured = worst[0]?.difference?.value ?? null;
  if (compared === 0) {
    const explanation = tooSmall === 0 ? 'No slices were compared.' : `All ${tooSmall} slices are too small.`;
    return [{ ...finding, outcome: 'skipped', explanation, measured }];
  }
  const [first] = clearlyWorse;
  if (first === undefined) {
    const explanation = `On none of ${compared} slices is the candidate clearly worse than the champion by more than ${numberText(margin)}.`;
    return [{ ...finding, outcome: 'pass', explanation, measured }];
  }
  return [
    {
      ...finding,
      subject: sliceText(first),
      outcome: 'fail',
      explanation: explainFailure(slices, margin),
      measured,
    },
  ];
}

function explainFailure({ compared, clearlyWorse }: ComparedSlices, margin: number): string {
  const named = clearlyWorse.slice(0, MOST_NAMED).map(explainSlice);
  const more = clearlyWorse.length - named.length;
  const others = more === 0 ? '' : `, and on ${more} more`;
  return `On ${clearlyWorse.length} of ${compared} slices the candidate is clearly worse than the champion by more than ${numberText(margin)}: ${named.join('; ')}${others}.`;
}

function explainSlice(comparison: SliceComparison): string {
  const { rows, metric, candidate, champion } = comparison;
  const values = `${METRIC_TITLES[metric]} ${numberText(candidate ?? NaN)} where the champion has ${numberText(champion ?? NaN)}`;
  return `${sliceText(comparison)} (${rowsText(rows)}, ${values})`;
}

/** `origin = ORD and carrier = AA`. */
export function sliceText({ slice }: Pick<SliceComparison, 'slice'>): string {
  const parts = Object.entries(slice).map(
    ([column, value]) => `${column} = ${value === '' ? 'missing' : value}`,
  );
  return parts.join(' and ');
}
