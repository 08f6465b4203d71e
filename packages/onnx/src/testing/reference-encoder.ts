import { FARTHEST_SCALED_VALUE } from '../numeric-block.ts';
import { createHash } from 'node:crypto';
import type { ColumnType, EncoderSpec, FittedFeature, TimestampPart } from '@perennial/contract';

/** A raw value of one row, as people write it: null is missing, timestamps are milliseconds. */
export type CellValue = number | boolean | string | null;
export type Row = Record<string, CellValue>;

/**
 * What an encoder must make of one row, said a second time in plain TypeScript and on other grounds than the graph: `Date` instead of
 * integer arithmetic, `String()` instead of numeric keys, a search of the vocabulary instead of a hash table.
 */
export function referenceRow(
  spec: EncoderSpec,
  row: Row,
): { dense: Map<string, number>; indices: Map<string, number> } {
  const dense = new Map<string, number>();
  const indices = new Map<string, number>();
  for (const feature of spec.features) {
    if (feature.kind === 'numeric') numericColumns(feature, row, dense);
    else if (feature.kind === 'boolean') booleanColumns(feature, row, dense);
    else if (feature.kind === 'timestamp') timestampColumns(feature, row, dense);
    else categoryColumns(feature, row, { dense, indices });
  }
  return { dense, indices };
}

function numericColumns(
  feature: Extract<FittedFeature, { kind: 'numeric' }>,
  row: Row,
  dense: Map<string, number>,
): void {
  const given = row[feature.column];
  const missing = given === null || given === undefined;
  const imputed = missing ? feature.impute : Number(given);
  const clipped = Math.min(Math.max(imputed, feature.clip.min ?? -Infinity), feature.clip.max ?? Infinity);
  const logged = feature.log ? Math.sign(clipped) * Math.log(1 + Math.abs(clipped)) : clipped;
  const scaled = (logged - feature.center) / feature.scale;
  dense.set(feature.name, Math.max(-FARTHEST_SCALED_VALUE, Math.min(FARTHEST_SCALED_VALUE, scaled)));
  if (feature.missingIndicator) dense.set(`${feature.name}:missing`, missing ? 1 : 0);
}

function booleanColumns(
  feature: Extract<FittedFeature, { kind: 'boolean' }>,
  row: Row,
  dense: Map<string, number>,
): void {
  const given = row[feature.column];
  dense.set(feature.name, given === null || given === undefined || Number(given) === 0 ? 0 : 1);
  dense.set(`${feature.name}:missing`, given === null ? 1 : 0);
}

const PERIODS: Record<TimestampPart, number> = {
  minuteOfHour: 60,
  hourOfDay: 24,
  minuteOfDay: 1440,
  dayOfWeek: 7,
  dayOfMonth: 31,
  dayOfYear: 366,
  month: 12,
};

function partValue(part: TimestampPart, instant: Date): number {
  switch (part) {
    case 'minuteOfHour':
      return instant.getUTCMinutes();
    case 'hourOfDay':
      return instant.getUTCHours();
    case 'minuteOfDay':
      return instant.getUTCHours() * 60 + instant.getUTCMinutes();
    case 'dayOfWeek':
      return (instant.getUTCDay() + 6) % 7;
    case 'dayOfMonth':
      return instant.getUTCDate() - 1;
    case 'dayOfYear': {
      const newYear = new Date(instant);
      newYear.setUTCMonth(0, 1);
      newYear.setUTCHours(0, 0, 0, 0);
      return Math.floor((instant.getTime() - newYear.getTime()) / 86_400_000);
    }
    case 'month':
      return instant.getUTCMonth();
  }
}

function timestampColumns(
  feature: Extract<FittedFeature, { kind: 'timestamp' }>,
  row: Row,
  dense: Map<string, number>,
): void {
  const given = row[feature.column];
  const instant = given === null ? null : new Date(Number(given));
  for (const part of feature.parts) {
    const name = `${feature.name}:${part}`;
    const position = instant === null ? null : partValue(part, instant) / PERIODS[part];
    if (feature.cyclic) {
      dense.set(`${name}:sin`, position === null ? 0 : Math.sin(2 * Math.PI * position));
      dense.set(`${name}:cos`, position === null ? 0 : Math.cos(2 * Math.PI * position));
    } else dense.set(name, position ?? 0);
  }
  dense.set(`${feature.name}:missing`, instant === null ? 1 : 0);
}

function vocabularyIndex(value: CellValue | undefined, vocabulary: string[]): number {
  if (value === null || value === undefined || value === '') return 0;
  const entry = vocabulary.indexOf(String(value));
  return entry === -1 ? 1 : entry + 2;
}

function categoryColumns(
  feature: Extract<FittedFeature, { kind: 'categorical' | 'crossed' }>,
  row: Row,
  out: { dense: Map<string, number>; indices: Map<string, number> },
): void {
  const { index, names } = feature.kind === 'crossed' ? crossed(feature, row) : categorical(feature, row);
  if (feature.encoding.kind === 'embedding') out.indices.set(feature.name, index);
  else names.forEach((name, i) => out.dense.set(name, i === index ? 1 : 0));
}

function categorical(feature: Extract<FittedFeature, { kind: 'categorical' }>, row: Row) {
  const entries = feature.vocabulary.map((entry) => `${feature.name}=${entry}`);
  return {
    index: vocabularyIndex(row[feature.column], feature.vocabulary),
    names: [`${feature.name}:missing`, `${feature.name}:other`, ...entries],
  };
}

function crossed(feature: Extract<FittedFeature, { kind: 'crossed' }>, row: Row) {
  const parts = feature.columns.map(({ column, vocabulary }) => ({
    index: vocabularyIndex(row[column], vocabulary),
    vocabulary,
  }));
  const combinations = parts.reduce((product, { vocabulary }) => product * (vocabulary.length + 2), 1);
  const size = Math.min(combinations, feature.buckets);
  const names = Array.from({ length: size }, (_, i) => `${feature.name}=${i}`);
  if (combinations <= feature.buckets) {
    return { index: parts.reduce((sum, part) => sum * (part.vocabulary.length + 2) + part.index, 0), names };
  }
  const shares = parts.map(({ index, vocabulary }, position) => {
    const key = index === 0 ? 'missing' : index === 1 ? 'other' : `entry:${vocabulary[index - 2]}`;
    const digest = createHash('sha256').update(`${position}:${key}`).digest('hex');
    return BigInt(`0x${digest.slice(0, 12)}`) % BigInt(feature.buckets);
  });
  return { index: Number(shares.reduce((sum, share) => sum + share, 0n) % BigInt(feature.buckets)), names };
}

/** A column of rows as its raw tensor. */
export function rawColumn(rows: readonly Row[], column: { name: string; type: ColumnType }) {
  const cells = rows.map((row) => row[column.name] ?? null);
  switch (column.type) {
    case 'number':
    case 'boolean':
      return Float64Array.from(cells, (cell) => (cell === null ? NaN : Number(cell)));
    case 'timestamp':
      return BigInt64Array.from(cells, (cell) => (cell === null ? -(2n ** 63n) : BigInt(Number(cell))));
    case 'text':
      return cells.map((cell) => (cell === null ? '' : String(cell)));
  }
}
