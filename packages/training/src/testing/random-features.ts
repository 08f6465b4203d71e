import {
  MISSING_TIMESTAMP,
  TIMESTAMP_PARTS,
  type EncoderSpec,
  type FittedFeature,
} from '@perennial/contract';
import type { ColumnBatch } from '@perennial/onnx';
import fc from 'fast-check';

const VOCABULARY = ['ORD', 'LAX', 'JFK', 'SFO', 'Zürich'];
const COLUMNS: EncoderSpec['columns'] = [
  { name: 'distance', type: 'number' },
  { name: 'weekend', type: 'boolean' },
  { name: 'origin', type: 'text' },
  { name: 'gate', type: 'number' },
  { name: 'date', type: 'timestamp' },
];

const encoding = fc.oneof(
  fc.record({ kind: fc.constant('embedding' as const), dimension: fc.integer({ min: 1, max: 6 }) }),
  fc.constant({ kind: 'oneHot' as const }),
);

function vocabularyOf(entries: string[]) {
  return fc.uniqueArray(fc.constantFrom(...entries), { minLength: 1 });
}

const features: Record<FittedFeature['kind'], fc.Arbitrary<FittedFeature>> = {
  numeric: fc.record({
    kind: fc.constant('numeric' as const),
    name: fc.constant('distance'),
    column: fc.constant('distance'),
    impute: fc.integer({ min: -100, max: 100 }),
    missingIndicator: fc.boolean(),
    clip: fc.constantFrom({}, { min: -50 }, { min: -80, max: 80 }),
    log: fc.boolean(),
    center: fc.integer({ min: -20, max: 20 }),
    scale: fc.constantFrom(20, 30, 50),
  }),
  boolean: fc.constant({ kind: 'boolean', name: 'weekend', column: 'weekend' }),
  categorical: fc.oneof(
    fc.record({
      kind: fc.constant('categorical' as const),
      name: fc.constant('origin'),
      column: fc.constant('origin'),
      vocabulary: vocabularyOf(VOCABULARY),
      encoding,
    }),
    fc.record({
      kind: fc.constant('categorical' as const),
      name: fc.constant('gate'),
      column: fc.constant('gate'),
      vocabulary: vocabularyOf(['0', '1', '7', '12']),
      encoding,
    }),
  ),
  timestamp: fc.record({
    kind: fc.constant('timestamp' as const),
    name: fc.constant('date'),
    column: fc.constant('date'),
    parts: fc.uniqueArray(fc.constantFrom(...TIMESTAMP_PARTS), { minLength: 1 }),
    cyclic: fc.boolean(),
  }),
  crossed: fc.record({
    kind: fc.constant('crossed' as const),
    name: fc.constant('route'),
    columns: fc.tuple(vocabularyOf(VOCABULARY), vocabularyOf(['0', '1', '7'])).map(([origin, gate]) => [
      { column: 'origin', vocabulary: origin },
      { column: 'gate', vocabulary: gate },
    ]),
    buckets: fc.integer({ min: 2, max: 40 }),
    encoding,
  }),
};

/** Encoders over every kind of feature, at most one of a name. */
export const randomEncoder: fc.Arbitrary<EncoderSpec> = fc
  .uniqueArray(fc.oneof(...Object.values(features)), {
    minLength: 1,
    maxLength: 6,
    selector: ({ name }) => name,
  })
  .map((chosen) => ({ columns: COLUMNS, features: chosen }));

const row = fc.record({
  distance: fc.oneof(fc.constant(NaN), fc.double({ min: -100, max: 100, noNaN: true })),
  weekend: fc.constantFrom(0, 1, NaN),
  origin: fc.constantFrom('', 'nowhere', ...VOCABULARY),
  gate: fc.constantFrom(NaN, 0, 1, 7, 12, 99),
  date: fc.oneof(fc.constant(MISSING_TIMESTAMP), fc.bigInt({ min: -(2n ** 42n), max: 2n ** 42n })),
});

/** Raw rows for {@link randomEncoder}, missing and unknown values among them. */
export const randomBatch: fc.Arbitrary<ColumnBatch> = fc
  .array(row, { minLength: 1, maxLength: 20 })
  .map((rows) => ({
    rows: rows.length,
    columns: {
      distance: Float64Array.from(rows, ({ distance }) => distance),
      weekend: Float64Array.from(rows, ({ weekend }) => weekend),
      origin: rows.map(({ origin }) => origin),
      gate: Float64Array.from(rows, ({ gate }) => gate),
      date: BigInt64Array.from(rows, ({ date }) => date),
    },
  }));
