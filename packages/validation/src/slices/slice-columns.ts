/** One slice column's value in every row, as a number per row. */
export interface CodedColumn {
  name: string;
  /** Positions in `values`, by row. */
  codes: Int32Array;
  values: string[];
}

/** Remembers every row's value of the slice columns as a number per row: a million rows of three columns take 12 MB, whatever the texts. */
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

  finish(): CodedColumn[] {
    return this.#columns.map(({ name, codes, values }) => ({ name, codes, values: [...values.keys()] }));
  }
}

/** The columns of some of the rows, by their numbers. */
export function selectSliceRows(columns: readonly CodedColumn[], selected: Uint32Array): CodedColumn[] {
  return columns.map(({ name, codes, values }) => {
    const kept = new Int32Array(selected.length);
    for (let i = 0; i < selected.length; i++) kept[i] = codes[selected[i]!]!;
    return { name, codes: kept, values };
  });
}
