import type { DatasetManifest, LabelKind } from '@perennial/contract';
import { readSplit, type SplitBatch } from '@perennial/data';
import type { CheckFinding } from '../finding.ts';
import { featureOf } from './card-pair.ts';
import { examineRows, type ExaminedColumn, type ExaminedRows } from './leak-columns.ts';
import { meanOfCode, rankCorrelation, separation, shareRight } from './leak-measures.ts';

/** From what on a column alone tells the label too well: area under the ROC curve, share right, rank correlation in size. */
export const LEAK_LIMITS: Readonly<Record<LabelKind, number>> = {
  binary: 0.995,
  multiclass: 0.995,
  regression: 0.999,
};

const MEASURES: Readonly<Record<LabelKind, string>> = {
  binary: 'AUC',
  multiclass: 'share right',
  regression: 'rank correlation',
};

/** Fewest rows that anything can be said of. */
const FEWEST_ROWS = 200;

/** Fewest rows of either class, and fewest that must have a value, as a share. */
const FEWEST_OF_CLASS = 20;
const PRESENT_SHARE = 0.5;

/** A class that has more than this share of the rows is right too often by itself. */
const LARGEST_CLASS = 0.98;

export interface LabelLeakOptions {
  /** A split's Parquet file: rows that the candidate is judged on or learnt from. */
  file: string;
  manifest: DatasetManifest;
}

/** Looks in a split for input columns that give the label away: see {@link labelLeaks}. */
export async function labelLeakFindings({ file, manifest }: LabelLeakOptions): Promise<CheckFinding[]> {
  return labelLeaks(readSplit({ file, manifest }), manifest);
}

/**
 * One failure per input column that alone tells the label, which no honest column does: it was made from the label, or is only known after it. Numbers and times
 * are taken as they are, where at least half the rows have one; and every column by its categories or ranges, with missing as one of
 * them, fitted on the first half of the rows and judged on the second. At most 20,000 rows are looked at.
 */
export async function labelLeaks(
  batches: AsyncIterable<SplitBatch>,
  { label: { kind }, encoder }: Pick<DatasetManifest, 'label' | 'encoder'>,
): Promise<CheckFinding[]> {
  const rows = await examineRows(batches);
  if (!canTell(rows, kind)) return [skipped(kind)];
  const found = rows.columns.map(({ name }, i) => ({ name, value: strength(rows, rows.columns[i]!, kind) }));
  const failures = found.filter(({ value }) => value >= LEAK_LIMITS[kind]);
  if (failures.length > 0) {
    return failures.map((leak) => failure(featureOf(encoder, leak.name), leak, kind));
  }
  return [passed(found, kind)];
}

function canTell({ rows, labels }: ExaminedRows, kind: LabelKind): boolean {
  if (rows < FEWEST_ROWS) return false;
  if (kind === 'regression') return labels.some((label) => label !== labels[0]);
  const second = labels.subarray(rows >> 1);
  const counts = new Map<number, number>();
  for (const label of second) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sizes = [...counts.values()].sort((a, b) => b - a);
  if (kind === 'binary') return (sizes[1] ?? 0) >= FEWEST_OF_CLASS;
  return (sizes[0] ?? 0) <= LARGEST_CLASS * second.length;
}

/** The best that the column alone does. */
function strength({ labels, rows }: ExaminedRows, column: ExaminedColumn, kind: LabelKind): number {
  const half = rows >> 1;
  switch (kind) {
    case 'multiclass':
      return shareRight(column.codes, Int32Array.from(labels), half);
    case 'binary':
    case 'regression': {
      const measure = kind === 'binary' ? separation : rankCorrelation;
      const bySecond = measure(meanOfCode(column.codes, labels, half), labels.subarray(half));
      return Math.max(bySecond ?? 0, byValue(column, labels, measure) ?? 0);
    }
  }
}

function byValue(
  { numbers }: ExaminedColumn,
  labels: Float64Array,
  measure: typeof separation,
): number | null {
  if (numbers === null) return null;
  const there = (_: number, row: number) => !Number.isNaN(numbers[row]);
  const present = numbers.filter(there);
  if (present.length < PRESENT_SHARE * numbers.length) return null;
  const known = labels.filter(there);
  const positives = known.reduce((sum, label) => sum + (label === 1 ? 1 : 0), 0);
  const few = Math.min(positives, known.length - positives) < FEWEST_OF_CLASS;
  return measure === separation && few ? null : measure(present, known);
}

interface Found {
  /** The column. */
  name: string;
  value: number;
}

function failure(feature: string, { name, value }: Found, kind: LabelKind): CheckFinding {
  return {
    name: 'label-leak',
    subject: feature,
    outcome: 'fail',
    explanation: `The column '${name}' alone tells the label (${MEASURES[kind]} ${value.toFixed(4)}): it may be made from the label, or known only after it.`,
    measured: value,
    limit: LEAK_LIMITS[kind],
  };
}

function passed(found: readonly Found[], kind: LabelKind): CheckFinding {
  const best = found.reduce((a, b) => (b.value > a.value ? b : a), found[0]!);
  return {
    name: 'label-leak',
    subject: null,
    outcome: 'pass',
    explanation: `No column alone tells the label; '${best.name}' does best (${MEASURES[kind]} ${best.value.toFixed(4)}).`,
    measured: best.value,
    limit: LEAK_LIMITS[kind],
  };
}

function skipped(kind: LabelKind): CheckFinding {
  return {
    name: 'label-leak',
    subject: null,
    outcome: 'skipped',
    explanation:
      'There are too few rows, or too few of all classes but one, to tell whether a column gives the label away.',
    measured: null,
    limit: LEAK_LIMITS[kind],
  };
}
