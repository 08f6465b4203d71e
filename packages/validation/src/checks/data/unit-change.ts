import type { CheckFinding } from '../finding.ts';
import { columnPairs, type CardPair, type ColumnPair } from './card-pair.ts';
import { FACTOR_CHANGES, OFFSET_CHANGES, type UnitChange } from './known-units.ts';
import { numberText } from '../wording.ts';

/** A factor nearer to 1 than this (either way) may be growth. */
const LEAST_FACTOR = 1.2;

/** How far the ratios of single quantiles may be from their median, as a part of it; of a factor that no two units have, less. */
const KNOWN_TOLERANCE = 0.06;
const UNKNOWN_TOLERANCE = 0.025;

/** How far a factor may be from that of two units to be taken for it: the rows are others, too. */
const FACTOR_TOLERANCE = 0.03;

/** Fewest different values of a column, and among its inner quantiles; a few values fit many factors. */
const FEWEST_VALUES = 10;
const FEWEST_DISTINCT = 6;

/** One failure per numeric column that looks like the champion's in another unit; one pass where none does. */
export function unitChangeFindings(cards: CardPair): CheckFinding[] {
  const failures = columnPairs(cards).flatMap((pair) => {
    const change = changeOf(pair);
    return change === null ? [] : [failure(pair, change)];
  });
  if (failures.length > 0) return failures;
  return [
    {
      name: 'unit-change',
      subject: null,
      outcome: 'pass',
      explanation: "No number's distribution is that of the champion's training rows in another unit.",
      measured: null,
      limit: null,
    },
  ];
}

function changeOf({ champion, candidate }: ColumnPair): FoundChange | null {
  const distinct = Math.min(champion.summary.distinct, candidate.summary.distinct);
  if (champion.summary.type !== 'number' || distinct < FEWEST_VALUES) return null;
  return unitChange(champion.summary.quantiles, candidate.summary.quantiles);
}

function failure({ feature, column, champion, candidate }: ColumnPair, change: FoundChange): CheckFinding {
  const offset =
    change.offset === 0 ? '' : ` ${change.offset < 0 ? '−' : '+'} ${numberText(Math.abs(change.offset))}`;
  const formula = `× ${numberText(change.factor)}${offset}`;
  const guess = change.units === null ? 'no two common units are so far apart' : `as from ${change.units}`;
  const medians = [champion, candidate].map(({ summary }) => numberText(summary.quantiles?.[10] ?? 0));
  return {
    name: 'unit-change',
    subject: feature,
    outcome: 'fail',
    explanation: `The column '${column}' is distributed as in the champion's training rows ${formula} (${guess}); its median went from ${medians.join(' to ')}.`,
    measured: change.factor,
    limit: null,
  };
}

/** What was found; units are null where the factor is that of none. */
export interface FoundChange {
  factor: number;
  offset: number;
  units: string | null;
}

/**
 * Whether one column is another in a different unit, by their quantiles: all of them multiplied by one factor, or converted as temperatures
 * are. A factor must also be that of the distributions' widths, since values far from zero that all grew by the same amount look multiplied.
 * Offsets are only looked for where two units have them: a season moves temperatures by one, too.
 */
export function unitChange(
  champion: readonly number[] | null,
  candidate: readonly number[] | null,
): FoundChange | null {
  const before = inner(champion);
  const after = inner(candidate);
  if (new Set(before).size < FEWEST_DISTINCT || new Set(after).size < FEWEST_DISTINCT) return null;
  return factorChange(before, after) ?? offsetChange(before, after);
}

/** The quantiles but the smallest and largest values, which are chance. */
function inner(quantiles: readonly number[] | null): number[] {
  return quantiles?.slice(1, -1) ?? [];
}

function factorChange(before: readonly number[], after: readonly number[]): FoundChange | null {
  const ratios = before.flatMap((value, i) => {
    const now = after[i] ?? 0;
    return value === 0 && now === 0 ? [] : [now / value];
  });
  const factor = median(ratios);
  if (!(factor > 0) || !Number.isFinite(factor) || Math.max(factor, 1 / factor) < LEAST_FACTOR) return null;
  const distance = Math.max(...ratios.map((ratio) => Math.abs(ratio / factor - 1)));
  const known = nearest(factor);
  if (!(distance <= (known === null ? UNKNOWN_TOLERANCE : KNOWN_TOLERANCE))) return null;
  const widths = width(after) / width(before);
  if (!(Math.abs(widths / factor - 1) <= 2 * KNOWN_TOLERANCE)) return null;
  return { factor, offset: 0, units: known?.units ?? null };
}

function nearest(factor: number): UnitChange | null {
  const distance = (change: UnitChange) => Math.abs(Math.log(factor / change.factor));
  const best = FACTOR_CHANGES.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return distance(best) <= FACTOR_TOLERANCE ? best : null;
}

/** Coldest and hottest that a temperature is thought to be, in degrees Celsius. */
const CELSIUS = { low: -100, high: 400 };

/** How far the inner quantiles of a temperature may stray from the conversion, as a part of their width; the weather changes, too. */
const TEMPERATURE_TOLERANCE = 0.5;

/** How far the widths may be from the conversion's factor. */
const WIDTH_TOLERANCE = 0.25;

/** How far single quantiles may stray from what all of them do, as a part of their width. */
const SHAPE_TOLERANCE = 0.15;

function offsetChange(before: readonly number[], after: readonly number[]): FoundChange | null {
  const known = OFFSET_CHANGES.find((change) => converts(change, before, after));
  return known === undefined ? null : { ...known };
}

function converts(
  { factor, offset, units }: UnitChange,
  before: readonly number[],
  after: readonly number[],
): boolean {
  const widths = width(after) / width(before);
  if (Math.abs(widths / factor - 1) > WIDTH_TOLERANCE) return false;
  const celsius = asCelsius(units.split(' to ')[0] ?? '', before);
  if (celsius.some((value) => value < CELSIUS.low || value > CELSIUS.high)) return false;
  const strays = before.map((value, i) => (after[i] ?? 0) - (factor * value + offset));
  const stray = median(strays);
  if (strays.some((one) => Math.abs(one - stray) > SHAPE_TOLERANCE * width(after))) return false;
  const moved = median(before.map((value, i) => (after[i] ?? 0) - value));
  // Nearer to the conversion than to having stayed as it was, by far.
  return Math.abs(stray) <= TEMPERATURE_TOLERANCE * width(after) && Math.abs(stray) * 4 <= Math.abs(moved);
}

function asCelsius(unit: string, values: readonly number[]): number[] {
  if (unit === 'kelvins') return values.map((value) => value - 273.15);
  return unit === 'degrees Fahrenheit' ? values.map((value) => (value - 32) / 1.8) : [...values];
}

function width(quantiles: readonly number[]): number {
  return (quantiles.at(-1) ?? 0) - (quantiles[0] ?? 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
