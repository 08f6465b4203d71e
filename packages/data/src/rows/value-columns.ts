import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { duckdb } from '../duckdb.ts';
import type { AppendedColumn } from '../engine.ts';

/** What a value of JavaScript is as a value of a column. */
export type ValueKind = 'number' | 'text' | 'boolean' | 'time';

const KIND_TYPES: Readonly<Record<ValueKind, { type: DuckDBType; name: string }>> = {
  number: { type: duckdb.DOUBLE, name: 'DOUBLE' },
  text: { type: duckdb.VARCHAR, name: 'VARCHAR' },
  boolean: { type: duckdb.BOOLEAN, name: 'BOOLEAN' },
  time: { type: duckdb.TIMESTAMPTZ, name: 'TIMESTAMP WITH TIME ZONE' },
};

/** DuckDB's name of a kind's type. */
export function typeName(kind: ValueKind): string {
  return KIND_TYPES[kind].name;
}

/** The kind of a value that is there; undefined for what is no value of a column. */
export function kindOf(value: unknown): ValueKind | undefined {
  switch (typeof value) {
    case 'number':
      return 'number';
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? 'number' : undefined;
    case 'string':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'object':
      return value instanceof Date && !Number.isNaN(value.getTime()) ? 'time' : undefined;
    case 'undefined':
    case 'symbol':
    case 'function':
      return undefined;
  }
}

/** A value in words, for messages. */
export function spokenValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'a time';
  if (typeof value === 'bigint') return 'a bigint beyond what a double holds (yield it as text)';
  if (typeof value === 'object') return 'an object';
  return kindOf(value) === 'text' ? 'text' : `a ${typeof value}`;
}

/** Values of one kind for DuckDB; null and undefined are missing. */
export function appendedColumn(kind: ValueKind, values: readonly unknown[]): AppendedColumn {
  return { type: KIND_TYPES[kind].type, values: values.map((value) => duckValue(kind, value)) };
}

function duckValue(kind: ValueKind, value: unknown): DuckDBValue {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case 'number':
      return Number(value);
    case 'time':
      return new duckdb.DuckDBTimestampTZValue(BigInt((value as Date).getTime()) * 1000n);
    case 'text':
    case 'boolean':
      return value as string | boolean;
  }
}
