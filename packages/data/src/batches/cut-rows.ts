/** Some rows of a file, one after another. */
export interface RowRange {
  /** The first. */
  from: number;
  rows: number;
}

/**
 * Cuts rows of a Parquet file into stretches of about so many rows, where row groups end as far as that goes: a row group that is read in two parts is unpacked twice.
 *
 * @param groups - rows of each row group
 */
export function cutRows(groups: readonly number[], within: RowRange, target: number): RowRange[] {
  const end = within.from + within.rows;
  const ranges: RowRange[] = [];
  let from = within.from;
  let boundary = 0;
  for (const rows of groups) {
    boundary += rows;
    const last = Math.min(boundary, end);
    // One that is much too large is cut all the same.
    while (last - from >= 2 * target) {
      ranges.push({ from, rows: target });
      from += target;
    }
    if (last - from >= target || (last === end && last > from)) {
      ranges.push({ from, rows: last - from });
      from = last;
    }
    if (last === end) break;
  }
  return ranges;
}
