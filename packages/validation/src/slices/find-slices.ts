import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Slice } from './slice.ts';
import type { CodedColumn } from './slice-columns.ts';

/** Most values of a column that are looked at, the largest first. */
export const MOST_SLICES_OF_A_COLUMN = 100;
/** Most pairs of values that are looked at, over all pairs of columns, the largest first. */
export const MOST_PAIRS = 200;

export interface SliceOptions {
  /** Pairs of values of two columns too. */
  pairs: boolean;
  /** Slices of fewer rows are counted only. */
  minRows: number;
}

export interface FoundSlices {
  /** By column and then the pairs, each the largest first. */
  slices: Slice[];
  /** Values, and pairs of values that are each large enough, of fewer than `minRows` rows. */
  tooSmall: number;
}

/** One value of one column. */
interface SingleSlice extends Slice {
  column: CodedColumn;
  code: number;
}

/**
 * The parts of the rows that are large enough to be looked at by themselves. A pair is made of two values that are each large enough, since
 * it can have no more rows than either; one that has the very rows of one of its values says nothing new and is left out.
 */
export async function findSlices(
  columns: readonly CodedColumn[],
  options: SliceOptions,
): Promise<FoundSlices> {
  const singles = columns.map((column) => singleSlices(column, options.minRows));
  const found: FoundSlices = {
    slices: singles.flatMap(({ kept }) => kept.map(({ slice, rows }) => ({ slice, rows }))),
    tooSmall: singles.reduce((sum, { tooSmall }) => sum + tooSmall, 0),
  };
  if (!options.pairs) return found;
  const counted: PairCount[] = [];
  for (const [index, first] of singles.entries()) {
    for (const second of singles.slice(index + 1)) {
      const { large, tooSmall } = countPairs(first.kept, second.kept, options.minRows);
      counted.push(...large);
      found.tooSmall += tooSmall;
      await nextTurn();
    }
  }
  counted.sort((a, b) => b.rows - a.rows || compareTexts(keyOf(a), keyOf(b)));
  found.slices.push(...counted.slice(0, MOST_PAIRS).map(pairSlice));
  return found;
}

function singleSlices(column: CodedColumn, minRows: number): { kept: SingleSlice[]; tooSmall: number } {
  const members = groupRows(column.codes, column.values.length);
  const large = column.values
    .map((value, code) => ({ slice: { [column.name]: value }, rows: members[code]!, column, code }))
    .filter(({ rows }) => rows.length > 0);
  const kept = large
    .filter(({ rows }) => rows.length >= minRows)
    .sort(
      (a, b) => b.rows.length - a.rows.length || compareTexts(column.values[a.code]!, column.values[b.code]!),
    );
  return { kept: kept.slice(0, MOST_SLICES_OF_A_COLUMN), tooSmall: large.length - kept.length };
}

interface PairCount {
  first: SingleSlice;
  second: SingleSlice;
  rows: number;
}

function countPairs(
  first: SingleSlice[],
  second: SingleSlice[],
  minRows: number,
): { large: PairCount[]; tooSmall: number } {
  const large: PairCount[] = [];
  let tooSmall = 0;
  const column = second[0]?.column;
  if (column === undefined) return { large, tooSmall };
  const counts = new Uint32Array(column.values.length);
  for (const one of first) {
    counts.fill(0);
    for (const row of one.rows) counts[column.codes[row]!]!++;
    for (const other of second) {
      const rows = counts[other.code]!;
      if (rows === 0 || rows === one.rows.length || rows === other.rows.length) continue;
      if (rows < minRows) tooSmall++;
      else large.push({ first: one, second: other, rows });
    }
  }
  return { large, tooSmall };
}

function pairSlice({ first, second, rows }: PairCount): Slice {
  const selected = new Uint32Array(rows);
  let filled = 0;
  const { codes } = second.column;
  for (const row of first.rows) if (codes[row] === second.code) selected[filled++] = row;
  return { slice: { ...first.slice, ...second.slice }, rows: selected };
}

function keyOf({ first, second }: PairCount): string {
  return JSON.stringify([first.slice, second.slice]);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Row numbers by code, in one pass over rows that are counted beforehand. */
function groupRows(codes: Int32Array, groups: number): Uint32Array[] {
  const sizes = new Uint32Array(groups);
  for (const code of codes) sizes[code]!++;
  const members = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(groups);
  codes.forEach((code, row) => (members[code]![filled[code]!++] = row));
  return members;
}
