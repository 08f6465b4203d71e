import type { Issue, Signature } from '@perennial/contract';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import { InvalidInstanceError } from '../errors.ts';
import { columnReader, type ColumnReader } from './column-reader.ts';

/** Most problems one answer lists. */
export const MAX_ISSUES = 20;

/** Part of an array: from `start` up to but not including `end`. */
export interface RowRange {
  start: number;
  end: number;
}

/**
 * Checks instances against a signature and lays them out as columns: all of them, or those of a range, so that a large request can be
 * read in pieces. Problems are reported by their place in the whole array.
 * @throws InvalidInstanceError with every problem from the range's start on, up to {@link MAX_ISSUES}
 */
export type InstanceReader = (instances: readonly unknown[], range?: RowRange) => ColumnBatch;

type PlainObject = Record<string, unknown>;

function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Fills a row, or says that something about the instance is wrong without saying what: the path that nearly every request takes. */
function fillRow(fields: readonly Field[], row: number, instance: unknown): boolean {
  if (!isPlainObject(instance)) return false;
  let count = 0;
  for (const name in instance) if (Object.hasOwn(instance, name)) count++;
  if (count !== fields.length) return false;
  for (const { reader, column } of fields) {
    if (!reader.read(column, row, instance[reader.name])) return false;
  }
  return true;
}

interface Field {
  reader: ColumnReader;
  column: RawColumn;
}

/** A field's place in a path: `.distance`, or `["odd name"]` when it is not an identifier. */
function fieldPath(field: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) ? `.${field}` : `[${JSON.stringify(field.slice(0, 128))}]`;
}

function listFields(readers: readonly ColumnReader[]): string {
  const names = readers.slice(0, 30).map((reader) => reader.name);
  return readers.length > names.length ? `${names.join(', ')}, …` : names.join(', ');
}

/** Every problem of one instance, found one by one: the path that only refused requests take. */
function* explainRow(readers: readonly ColumnReader[], path: string, instance: unknown): Generator<Issue> {
  if (!isPlainObject(instance)) {
    yield { path, message: `must be an object with the fields ${listFields(readers)}` };
    return;
  }
  const known = new Set(readers.map((reader) => reader.name));
  for (const field of Object.keys(instance)) {
    if (known.has(field)) continue;
    yield {
      path: path + fieldPath(field),
      message: `is not a field of this model; allowed are ${listFields(readers)}`,
    };
  }
  for (const reader of readers) {
    const at = path + fieldPath(reader.name);
    if (!Object.hasOwn(instance, reader.name))
      yield { path: at, message: 'is missing; send null when the value is not known' };
    else if (!reader.read(reader.allocate(1), 0, instance[reader.name])) {
      yield { path: at, message: reader.refusal(instance[reader.name]) };
    }
  }
}

function collectIssues(readers: readonly ColumnReader[], instances: readonly unknown[], start: number) {
  const issues: Issue[] = [];
  for (let index = start; index < instances.length; index++) {
    for (const issue of explainRow(readers, `instances[${index}]`, instances[index])) {
      if (issues.length === MAX_ISSUES) return new InvalidInstanceError(issues, true);
      issues.push(issue);
    }
  }
  return new InvalidInstanceError(issues, false);
}

/** Columns by name. Without a prototype, so that a column may have any name, `__proto__` included. */
function byName(fields: readonly Field[]): Record<string, RawColumn> {
  const columns = Object.create(null) as Record<string, RawColumn>;
  for (const { reader, column } of fields) columns[reader.name] = column;
  return columns;
}

/**
 * Compiles a signature into the function that validates instances and fills tensors in one pass; done once per model version.
 *
 * An instance is a plain object that has every input column as a field of its own and no other. Null means missing. Numbers are finite; a
 * number as a text is refused. Booleans are `true` and `false` alone. A text holds at most 10,000 characters and can be stored (no NUL,
 * no unpaired surrogate); the empty text is missing too. A timestamp is ISO 8601 text (date only: midnight UTC; without a zone: UTC) or
 * whole milliseconds since 1970.
 */
export function compileReader(signature: Signature): InstanceReader {
  const readers = signature.inputs.map(columnReader);
  return (instances, { start, end } = { start: 0, end: instances.length }) => {
    const rows = end - start;
    const fields = readers.map((reader) => ({ reader, column: reader.allocate(rows) }));
    for (let row = 0; row < rows; row++) {
      if (!fillRow(fields, row, instances[start + row])) throw collectIssues(readers, instances, start);
    }
    return { rows, columns: byName(fields) };
  };
}
