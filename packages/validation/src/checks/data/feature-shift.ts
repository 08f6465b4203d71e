import type { FeatureShift } from '@perennial/contract';
import type { CheckFinding } from '../finding.ts';
import { columnPairs, type CardPair, type ColumnPair } from './card-pair.ts';
import { contribution, shiftedBins, stabilityIndex, type ShiftedBin } from './population-stability.ts';
import { numberText, shareText } from '../wording.ts';

/** Population stability index above which a shift is large (Siddiqi 2006). */
export const LARGE_SHIFT = 0.25;

/** How far every input column's training rows have moved from the champion's, most moved first. */
export function featureShifts(cards: CardPair): FeatureShift[] {
  return columnPairs(cards)
    .map((pair) => shiftOf(pair))
    .sort((a, b) => b.index - a.index || (a.column < b.column ? -1 : 1));
}

/** One failure per feature whose rows have moved far; one pass where none has. */
export function featureShiftFindings(shifts: readonly FeatureShift[]): CheckFinding[] {
  const large = shifts.filter(({ index }) => index > LARGE_SHIFT);
  if (large.length > 0) return large.map(largeShift);
  const [most] = shifts;
  return [
    {
      name: 'feature-shift',
      subject: null,
      outcome: 'pass',
      explanation:
        most === undefined
          ? 'No input column is on both data cards.'
          : `No feature has moved far from the champion's training rows; most moved ${most.feature} (${most.description}).`,
      measured: most?.index ?? null,
      limit: LARGE_SHIFT,
    },
  ];
}

function largeShift({ feature, column, index, description }: FeatureShift): CheckFinding {
  const where = feature === column ? '' : ` (column '${column}')`;
  return {
    name: 'feature-shift',
    subject: feature,
    outcome: 'fail',
    explanation: `The training rows of ${feature}${where} have moved far from the champion's: ${description}.`,
    measured: index,
    limit: LARGE_SHIFT,
  };
}

function shiftOf(pair: ColumnPair): FeatureShift {
  const bins = shiftedBins(pair.champion, pair.candidate);
  return {
    feature: pair.feature,
    column: pair.column,
    index: stabilityIndex(bins),
    description: describe(pair, bins),
  };
}

/** Says what moved most. */
function describe({ champion, candidate }: ColumnPair, bins: readonly ShiftedBin[]): string {
  const most = bins.reduce((a, b) => (contribution(b) >= contribution(a) ? b : a));
  switch (most.kind) {
    case 'missing':
      return fromTo('missing values', shareText(most.champion), `${shareText(most.candidate)} of rows`);
    case 'category':
      return fromTo(
        `'${most.value ?? ''}'`,
        shareText(most.champion),
        `${shareText(most.candidate)} of rows`,
      );
    case 'other':
      return fromTo('rare and new values', shareText(most.champion), `${shareText(most.candidate)} of rows`);
    case 'range':
      return describeRange(champion.summary, candidate.summary);
  }
}

type Summary = ColumnPair['champion']['summary'];

function describeRange(champion: Summary, candidate: Summary): string {
  if (champion.type === 'timestamp') {
    return fromTo('median', spokenTime(champion.quantiles?.[10]), spokenTime(candidate.quantiles?.[10]));
  }
  const mean = [spokenOf(champion.mean), spokenOf(candidate.mean)] as const;
  if (mean[0] !== mean[1]) return fromTo('mean', ...mean);
  return fromTo(
    'standard deviation',
    spokenOf(champion.standardDeviation),
    spokenOf(candidate.standardDeviation),
  );
}

function fromTo(what: string, from: string, to: string): string {
  return `${what} from ${from} to ${to}`;
}

function spokenOf(value: number | null): string {
  return value === null ? 'none' : numberText(value);
}

function spokenTime(milliseconds: number | undefined): string {
  return milliseconds === undefined
    ? 'none'
    : new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}
