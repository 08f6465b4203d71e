import { columnNameSchema } from '@perennial/contract';
import type { Connection } from '../engine.ts';
import { SourceInvalidError } from '../errors.ts';
import type { OpenRows } from '../open-files.ts';
import { identifier } from '../sql.ts';
import { SOURCE_ROWS, addColumn, appendRows, createRowTable } from './row-table.ts';
import { appendedColumn, kindOf, spokenValue, typeName, type ValueKind } from './value-columns.ts';

/** Rows as objects, whose columns and types follow from the values. */
export interface InferredRows {
  pipeline: string;
  batches: AsyncIterable<readonly unknown[]>;
  /** What a row is called in a message: `event` makes `event 17`. */
  noun: string;
  /** What is wrong when there is no row at all. */
  none: string;
}

interface Column {
  kind: ValueKind;
  /** Whether every number so far is whole, so that the column can be one of whole numbers. */
  whole: boolean;
}

/**
 * Stages rows. A column is of the kind of its first value, and begins to be with it; numbers that are all whole make a column of whole numbers, as they do where
 * the same rows are read from JSON.
 *
 * @throws SourceInvalidError naming the row and column of a value of another kind than those before it
 */
export async function stageInferredRows(connection: Connection, rows: InferredRows): Promise<OpenRows> {
  const staging = new Staging(connection, rows);
  for await (const batch of rows.batches) await staging.append(batch);
  return staging.finish();
}

type Row = Readonly<Record<string, unknown>>;

class Staging {
  readonly #connection: Connection;
  readonly #rows: InferredRows;
  /** In the order of the table. */
  readonly #columns = new Map<string, Column>();
  /** Names without a value so far. */
  readonly #empty = new Set<string>();
  #count = 0;

  constructor(connection: Connection, rows: InferredRows) {
    this.#connection = connection;
    this.#rows = rows;
  }

  async append(batch: readonly unknown[]): Promise<void> {
    const known = this.#columns.size;
    const rows = batch.map((row, index) => this.#checked(row, this.#count + index + 1));
    await this.#addColumns([...this.#columns].slice(known), known === 0);
    this.#count += batch.length;
    if (this.#columns.size === 0) return;
    const columns = [...this.#columns].map(([name, { kind }]) =>
      appendedColumn(
        kind,
        rows.map((row) => row[name]),
      ),
    );
    await appendRows(this.#connection, columns);
  }

  async finish(): Promise<OpenRows> {
    if (this.#columns.size === 0) throw this.#refusal(this.#rows.none);
    for (const name of this.#empty) await addColumn(this.#connection, { name, type: 'VARCHAR' });
    const columns = [...this.#columns].map(([name, { kind, whole }]) => ({
      name,
      type: kind === 'number' && whole ? 'BIGINT' : typeName(kind),
    }));
    const all = [...columns, ...[...this.#empty].map((name) => ({ name, type: 'VARCHAR' }))];
    const selected = all.map(
      ({ name, type }) => `CAST(${identifier(name)} AS ${type}) AS ${identifier(name)}`,
    );
    return { columns: all, relation: `(SELECT ${selected.join(', ')} FROM ${SOURCE_ROWS})` };
  }

  async #addColumns(added: readonly (readonly [string, Column])[], first: boolean): Promise<void> {
    const columns = added.map(([name, { kind }]) => ({ name, type: typeName(kind) }));
    if (first && columns.length > 0) return createRowTable(this.#connection, columns);
    for (const column of columns) await addColumn(this.#connection, column);
  }

  #checked(row: unknown, number: number): Row {
    const place = `${this.#rows.noun} ${number}`;
    if (typeof row !== 'object' || row === null || Array.isArray(row) || row instanceof Date)
      throw this.#refusal(`${place} is ${spokenValue(row)}, not an object`);
    for (const [name, value] of Object.entries(row)) this.#check(name, value, place);
    return row as Row;
  }

  #check(name: string, value: unknown, place: string): void {
    if (!this.#columns.has(name) && !this.#empty.has(name)) this.#checkName(name, place);
    if (value === null || value === undefined) {
      if (!this.#columns.has(name)) this.#empty.add(name);
      return;
    }
    const kind = kindOf(value);
    const column = this.#columns.get(name);
    if (kind === undefined || (column !== undefined && kind !== column.kind)) {
      const wanted =
        column === undefined
          ? 'text, a number, true or false, or a time'
          : `${spokenKind(column.kind)} before`;
      throw this.#refusal(
        `in ${place} the column '${name}' is ${spokenValue(value)}, but ${column === undefined ? 'must be' : 'was'} ${wanted}`,
      );
    }
    const whole = kind === 'number' && Number.isSafeInteger(Number(value));
    if (column === undefined) {
      this.#columns.set(name, { kind, whole });
      this.#empty.delete(name);
    } else {
      column.whole &&= whole;
    }
  }

  /** DuckDB's names know no case, so two that differ in nothing else would be one column. */
  #checkName(name: string, place: string): void {
    const parsed = columnNameSchema.safeParse(name);
    if (!parsed.success)
      throw this.#refusal(`in ${place} the name of a column ${parsed.error.issues[0]?.message ?? ''}`);
    const twin = [...this.#columns.keys(), ...this.#empty].find(
      (other) => other.toLowerCase() === name.toLowerCase(),
    );
    if (twin !== undefined)
      throw this.#refusal(`in ${place} the column '${name}' differs from '${twin}' in nothing but case`);
  }

  #refusal(problem: string): SourceInvalidError {
    return new SourceInvalidError(problem, { pipeline: this.#rows.pipeline, field: 'data.source' });
  }
}

function spokenKind(kind: ValueKind): string {
  return kind === 'text' || kind === 'boolean' ? (kind === 'text' ? 'text' : 'a boolean') : `a ${kind}`;
}
