/** Fewest rows a slice is reported with: a metric of fewer says more about chance than about the slice. */
export const FEWEST_SLICE_ROWS = 30;
/** Most slices reported per column, the largest first. */
export const MOST_SLICES_OF_A_COLUMN = 100;

/** The rows that have one value of one slice column. */
export interface Slice {
  column: string;
  value: string;
  /** Row numbers, ascending. */
  rows: Uint32Array;
}

/** Remembers every row's value of the slice columns as a number per row, and groups the rows at the end. */
export class SliceColumns {
  readonly #columns: { name: string; codes: Int32Array; values: Map<string, number> }[];
  #filled = 0;

  /** @param rows of the split */
  constructor(names: readonly string[], rows: number) {
    this.#columns = names.map((name) => ({
      name,
      codes: new Int32Array(rows),
      values: new Map<string, number>(),
    }));
  }

  /** Takes the values of the next rows, by column. */
  add(slices: Record<string, string[]>, rows: number): void {
    for (const { name, codes, values } of this.#columns) {
      const column = slices[name] ?? [];
      for (let row = 0; row < rows; row++) {
        const value = column[row] ?? '';
        let code = values.get(value);
        if (code === undefined) values.set(value, (code = values.size));
        codes[this.#filled + row] = code;
      }
    }
    this.#filled += rows;
  }

  /** The slices worth reporting, by column, the largest first and equal ones by value. */
  finish(): Slice[] {
    return this.#columns.flatMap(({ name, codes, values }) => {
      const members = groupRows(codes, values.size);
      return [...values]
        .map(([value, code]) => ({ column: name, value, rows: members[code]! }))
        .filter(({ rows }) => rows.length >= FEWEST_SLICE_ROWS)
        .sort((a, b) => b.rows.length - a.rows.length || (a.value < b.value ? -1 : 1))
        .slice(0, MOST_SLICES_OF_A_COLUMN);
    });
  }
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
