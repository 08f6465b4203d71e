import type { ColumnType } from '@perennial/contract';
import type { StagedColumn } from './border.ts';
import { columnTypeOf, spokenType } from './column-types.ts';
import { SourceInvalidError } from './errors.ts';
import type { SourceColumn } from './source-relation.ts';

/** A source column that the pipeline reads, and its name in the staged table: ours, so that no name in a source can clash with one of ours. */
export interface ReadColumn extends SourceColumn, StagedColumn {
  /** Its type at the artifact's border; undefined where it has none. */
  kind: ColumnType | undefined;
}

/** The columns that a pipeline reads, collected as its parts are planned. */
export class ReadColumns {
  readonly #pipeline: string;
  readonly #source: readonly SourceColumn[];
  readonly #read = new Map<string, ReadColumn>();

  constructor(pipeline: string, source: readonly SourceColumn[]) {
    this.#pipeline = pipeline;
    this.#source = source;
  }

  /** In order of first use. */
  get all(): ReadColumn[] {
    return [...this.#read.values()];
  }

  /**
   * Reads the column of exactly this name.
   *
   * @param field - the pipeline's field that asks, for the error
   * @param kinds - what it may be; anything when absent
   * @throws SourceInvalidError when it is not there, or of another type
   */
  read(name: string, field: string, kinds?: readonly ColumnType[]): ReadColumn {
    const column = this.#source.find((candidate) => candidate.name === name);
    if (column === undefined) {
      const there = this.#source.map((candidate) => candidate.name).join(', ');
      throw new SourceInvalidError(`there is no column '${name}'; there are ${there}`, {
        pipeline: this.#pipeline,
        field,
      });
    }
    const read = this.#remember(column);
    if (kinds !== undefined && (read.kind === undefined || !kinds.includes(read.kind))) {
      const problem = `the column '${name}' is ${spokenType(column.type)}, but must be ${kinds.join(' or ')}`;
      throw new SourceInvalidError(problem, { pipeline: this.#pipeline, field });
    }
    return read;
  }

  /** Reads the columns that an expression names, as SQL finds them: without regard to case. Names of other things are left alone. */
  readNamed(names: ReadonlySet<string>): void {
    const folded = new Set([...names].map((name) => name.toLowerCase()));
    for (const column of this.#source) if (folded.has(column.name.toLowerCase())) this.#remember(column);
  }

  #remember(column: SourceColumn): ReadColumn {
    const known = this.#read.get(column.name);
    if (known !== undefined) return known;
    const read = { ...column, sql: `c${this.#read.size}`, kind: columnTypeOf(column.type) };
    this.#read.set(column.name, read);
    return read;
  }
}
