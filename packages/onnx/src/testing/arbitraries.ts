import { TIMESTAMP_PARTS, type ColumnType, type EncoderSpec } from '@perennial/contract';
import fc from 'fast-check';
import type { CellValue, Row } from './reference-encoder.ts';

/** A year short of what `Date` can say, since the reference counts days from new year. */
const LONGEST_DATE = 8_640_000_000_000_000 - 366 * 86_400_000;

/** Text without NUL, at which the runtime ends a string, and without halves of surrogate pairs, which UTF-8 cannot say. */
const text = fc
  .oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 4 }))
  .filter((value) => !value.includes('\0'));

const vocabularyOf: Record<Exclude<ColumnType, 'timestamp'>, fc.Arbitrary<string[]>> = {
  text: fc.uniqueArray(
    text.filter((entry) => entry !== ''),
    { maxLength: 8 },
  ),
  number: fc.uniqueArray(
    fc.oneof(fc.integer(), fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })).map(String),
    {
      maxLength: 8,
    },
  ),
  boolean: fc.subarray(['true', 'false']),
};

const encoding = fc.oneof(
  fc.record({ kind: fc.constant('embedding' as const), dimension: fc.integer({ min: 1, max: 4 }) }),
  fc.constant({ kind: 'oneHot' as const }),
);

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

/** Columns whose names try the artifact's name space: an output's name, a slash, the writer's own prefix. */
const COLUMNS: { name: string; type: ColumnType }[] = [
  { name: 'distance', type: 'number' },
  { name: 'probability', type: 'number' },
  { name: 'weekend/holiday', type: 'boolean' },
  { name: 'dense', type: 'text' },
  { name: '#constant_0', type: 'text' },
  { name: 'Abflug Zeit', type: 'timestamp' },
];
const columnsOf = (...types: ColumnType[]) =>
  fc.constantFrom(...COLUMNS.filter(({ type }) => types.includes(type)).map(({ name }) => name));

const numeric = fc.record({
  kind: fc.constant('numeric' as const),
  name: fc.constant(''),
  column: columnsOf('number', 'boolean'),
  impute: finite,
  missingIndicator: fc.boolean(),
  clip: fc.record(
    { min: fc.double({ min: -1e3, max: 0, noNaN: true }), max: fc.double({ min: 0, max: 1e3, noNaN: true }) },
    { requiredKeys: [] },
  ),
  log: fc.boolean(),
  center: finite,
  scale: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
});

const boolean = fc.record({
  kind: fc.constant('boolean' as const),
  name: fc.constant(''),
  column: columnsOf('number', 'boolean'),
});

const timestamp = fc.record({
  kind: fc.constant('timestamp' as const),
  name: fc.constant(''),
  column: columnsOf('timestamp'),
  parts: fc.uniqueArray(fc.constantFrom(...TIMESTAMP_PARTS), { minLength: 1 }),
  cyclic: fc.boolean(),
});

function typeOf(column: string): Exclude<ColumnType, 'timestamp'> {
  const type = COLUMNS.find(({ name }) => name === column)?.type;
  if (type === undefined || type === 'timestamp') throw new Error(`no category column: ${column}`);
  return type;
}

const lookup = columnsOf('text', 'number', 'boolean').chain((column) =>
  fc.record({ column: fc.constant(column), vocabulary: vocabularyOf[typeOf(column)] }),
);

const categorical = fc
  .tuple(lookup, encoding)
  .map(([found, encoded]) => ({ kind: 'categorical' as const, name: '', ...found, encoding: encoded }));

const crossed = fc.record({
  kind: fc.constant('crossed' as const),
  name: fc.constant(''),
  columns: fc.array(lookup, { minLength: 2, maxLength: 4 }),
  buckets: fc.integer({ min: 2, max: 60 }),
  encoding,
});

/** Specs of every feature kind, over columns of every type. */
export const encoderSpecs: fc.Arbitrary<EncoderSpec> = fc
  .array(fc.oneof(numeric, boolean, timestamp, categorical, crossed), { minLength: 1, maxLength: 7 })
  .map((features) => ({
    columns: COLUMNS,
    features: features.map((feature, i) => ({ ...feature, name: `feature_${i}` })),
  }));

function cells(spec: EncoderSpec, column: { name: string; type: ColumnType }): fc.Arbitrary<CellValue> {
  const known = spec.features.flatMap((feature) => {
    if (feature.kind === 'categorical') return feature.column === column.name ? feature.vocabulary : [];
    if (feature.kind !== 'crossed') return [];
    return feature.columns.filter((part) => part.column === column.name).flatMap((part) => part.vocabulary);
  });
  const missing = fc.constant(null);
  switch (column.type) {
    case 'boolean':
      return fc.oneof(missing, fc.boolean());
    case 'timestamp':
      return fc.oneof(
        missing,
        fc.integer({ min: -LONGEST_DATE, max: LONGEST_DATE }),
        fc.integer({ min: -1e12, max: 2e12 }),
      );
    case 'text':
      return fc.oneof(
        missing,
        text,
        ...(known.length > 0 ? [{ weight: 3, arbitrary: fc.constantFrom(...known) }] : []),
      );
    case 'number': {
      const numbers = known.map(Number);
      const special = fc.constantFrom(
        0,
        -0,
        Infinity,
        -Infinity,
        Number.MAX_VALUE,
        Number.MIN_VALUE,
        2 ** 53,
      );
      const some = numbers.length > 0 ? [{ weight: 3, arbitrary: fc.constantFrom(...numbers) }] : [];
      return fc.oneof(missing, finite, fc.integer({ min: -5, max: 5 }), special, ...some);
    }
  }
}

/** Rows for a spec: values of its vocabularies, others, missing ones, and numbers at the edges. */
export function rowsFor(spec: EncoderSpec, maxLength = 12): fc.Arbitrary<Row[]> {
  const row = fc.record(Object.fromEntries(spec.columns.map((column) => [column.name, cells(spec, column)])));
  return fc.array(row, { maxLength });
}
