import type { SummarisedRows } from './card-pair.ts';

/** What one bin's rows were and are. */
export interface ShiftedBin {
  kind: 'missing' | 'range' | 'category' | 'other';
  /** The category. */
  value: string | null;
  /** Shares of all rows. */
  champion: number;
  candidate: number;
}

/** Share below which a bin counts as empty: the index takes logarithms, and one of nothing would be infinite. */
const SMALLEST_SHARE = 0.001;

/** Least share of the champion's rows that a category needs for a bin of its own; the rest is one bin. */
const CATEGORY_SHARE = 0.005;

/**
 * Population stability index of the bins: Σ (a − e) · ln(a / e), a symmetric Kullback-Leibler divergence. Below 0.1 is a small shift,
 * above 0.25 a large one (Siddiqi, "Credit Risk Scorecards", 2006; for its sampling distribution Yurdakul, "Statistical Properties of
 * Population Stability Index", 2018: about χ² · (1/n + 1/m), so far below 0.1 for thousands of rows).
 */
export function stabilityIndex(bins: readonly ShiftedBin[]): number {
  return bins.reduce((sum, bin) => sum + contribution(bin), 0);
}

/** The part of the index that one bin makes. */
export function contribution({ champion, candidate }: ShiftedBin): number {
  const expected = Math.max(champion, SMALLEST_SHARE);
  const actual = Math.max(candidate, SMALLEST_SHARE);
  return (actual - expected) * Math.log(actual / expected);
}

/** The bins of a column: the missing values, and the champion's deciles or categories. */
export function shiftedBins(champion: SummarisedRows, candidate: SummarisedRows): ShiftedBin[] {
  const missing: ShiftedBin = {
    kind: 'missing',
    value: null,
    champion: missingShare(champion),
    candidate: missingShare(candidate),
  };
  if (champion.summary.top !== null) return [missing, ...categoryBins(champion, candidate)];
  return [missing, ...rangeBins(champion, candidate)];
}

export function missingShare({ summary, rows }: SummarisedRows): number {
  return summary.missing / rows;
}

function categoryBins(champion: SummarisedRows, candidate: SummarisedRows): ShiftedBin[] {
  const now = new Map(candidate.summary.top?.map(({ value, rows }) => [value, rows / candidate.rows]));
  const named = (champion.summary.top ?? [])
    .map(({ value, rows }): ShiftedBin => {
      const share = rows / champion.rows;
      return { kind: 'category', value, champion: share, candidate: now.get(value) ?? 0 };
    })
    .filter((bin) => bin.champion >= CATEGORY_SHARE);
  const rest = (of: 'champion' | 'candidate', rows: SummarisedRows) =>
    Math.max(0, 1 - missingShare(rows) - named.reduce((sum, bin) => sum + bin[of], 0));
  const other: ShiftedBin = {
    kind: 'other',
    value: null,
    champion: rest('champion', champion),
    candidate: rest('candidate', candidate),
  };
  return [...named, other];
}

function rangeBins(champion: SummarisedRows, candidate: SummarisedRows): ShiftedBin[] {
  const then = comparableQuantiles(champion);
  const now = comparableQuantiles(candidate);
  if (then === null)
    return [{ kind: 'range', value: null, champion: 0, candidate: 1 - missingShare(candidate) }];
  const cuts = cutsOf(then);
  const expected = sharesBetween(then, cuts);
  const actual = now === null ? expected.map(() => 0) : sharesBetween(now, cuts);
  return expected.map((share, i) => ({
    kind: 'range',
    value: null,
    champion: share * (1 - missingShare(champion)),
    candidate: (actual[i] ?? 0) * (1 - missingShare(candidate)),
  }));
}

/** Times count from where their training rows begin: that every day is later than the one before is no shift. */
function comparableQuantiles({ summary, from }: SummarisedRows): number[] | null {
  if (summary.quantiles === null) return null;
  return summary.type === 'timestamp' ? summary.quantiles.map((time) => time - from) : summary.quantiles;
}

/** A place that values are parted at; `upTo` says whether the value itself is below. */
interface Cut {
  value: number;
  upTo: boolean;
}

/** The deciles; a value that has at least 10 % of the rows is cut out on both sides, or rows could move off it unseen. */
function cutsOf(quantiles: readonly number[]): Cut[] {
  const deciles = [...new Set(quantiles.filter((_, i) => i % 2 === 0 && i > 0 && i < 20))];
  return deciles.flatMap((value) => {
    const isAtom = quantiles.filter((other) => other === value).length >= 3;
    return isAtom
      ? [
          { value, upTo: false },
          { value, upTo: true },
        ]
      : [{ value, upTo: true }];
  });
}

function sharesBetween(quantiles: readonly number[], cuts: readonly Cut[]): number[] {
  const below = [0, ...cuts.map((cut) => shareBelow(quantiles, cut)), 1];
  return below.slice(1).map((share, i) => Math.max(0, share - (below[i] ?? 0)));
}

/** The share of the values below a cut, in proportion between two quantiles. */
function shareBelow(quantiles: readonly number[], { value, upTo }: Cut): number {
  const next = quantiles.findIndex((quantile) => (upTo ? quantile > value : quantile >= value));
  if (next === 0) return 0;
  if (next === -1) return 1;
  const [low, high] = [quantiles[next - 1] ?? value, quantiles[next] ?? value];
  return (next - 1 + Math.min(1, (value - low) / (high - low))) / (quantiles.length - 1);
}
