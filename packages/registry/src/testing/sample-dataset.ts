import type { ColumnSummary, DataCard, DatasetVersion } from '@perennial/contract';
import { SAMPLE_SPEC, sampleDigest } from './sample-pipeline.ts';

const TEST_SPLIT = {
  digest: sampleDigest('e'),
  rows: 16_512,
  bytes: 80_000,
  from: '2001-01-31T00:00:00.000Z',
  to: '2001-02-01T00:00:00.000Z',
};

const SPLITS = {
  train: { ...TEST_SPLIT, rows: 460_000, from: '2001-01-01T00:00:00.000Z', to: '2001-01-29T00:00:00.000Z' },
  validation: {
    ...TEST_SPLIT,
    rows: 33_000,
    from: '2001-01-29T00:00:00.000Z',
    to: '2001-01-31T00:00:00.000Z',
  },
  test: TEST_SPLIT,
};

const NO_NUMBERS = {
  min: null,
  max: null,
  mean: null,
  standardDeviation: null,
  quantiles: null,
  histogram: null,
  top: null,
};

const BINS = 24;

function numbers(name: string, type: string, [min, max]: readonly [number, number]): ColumnSummary {
  const width = (max - min) / BINS;
  return {
    name,
    type,
    missing: 1_024,
    distinct: 1_312,
    min,
    max,
    mean: min + (max - min) / 4,
    standardDeviation: (max - min) / 6,
    quantiles: Array.from({ length: 21 }, (_, i) => min + ((max - min) * i * i) / 400),
    histogram: {
      edges: Array.from({ length: BINS + 1 }, (_, i) => min + i * width),
      rows: Array.from({ length: BINS }, (_, i) => Math.round(60_000 * i * Math.exp(-i / 3))),
    },
    top: null,
  };
}

function texts(name: string, top: Record<string, number>): ColumnSummary {
  return {
    ...NO_NUMBERS,
    name,
    type: 'VARCHAR',
    missing: 0,
    distinct: 231,
    top: Object.entries(top).map(([value, rows]) => ({ value, rows })),
  };
}

const COLUMNS: ColumnSummary[] = [
  numbers('distance', 'BIGINT', [21, 4_962]),
  texts('origin', { ORD: 24_512, DFW: 22_001, ATL: 19_230, LAX: 17_340, 'a|b': 9_120, PHX: 8_810 }),
  texts('destination', { ATL: 23_876, ORD: 23_004, DFW: 20_150, LAX: 17_003 }),
  numbers('date', 'TIMESTAMP', [Date.parse('2001-01-01T00:00:00Z'), Date.parse('2001-01-29T00:00:00Z')]),
  texts('weekend', { false: 329_000, true: 131_000 }),
];

const CARD: DataCard = {
  pipeline: 'flight-delay',
  dataset: sampleDigest('d'),
  asOf: '2001-02-01T00:00:00.000Z',
  window: SAMPLE_SPEC.data.window,
  source: SAMPLE_SPEC.data.source,
  files: [{ name: 'flights.parquet', bytes: 31_204_112, digest: sampleDigest('f') }],
  splits: SPLITS,
  columns: COLUMNS,
  labels: {
    train: { mean: 0.204, standardDeviation: 0.403, classes: { false: 366_160, true: 93_840 } },
    validation: { mean: 0.198, standardDeviation: 0.399, classes: { false: 26_466, true: 6_534 } },
    test: { mean: 0.2, standardDeviation: 0.4, classes: { false: 13_210, true: 3_302 } },
  },
  expectations: SAMPLE_SPEC.data.expectations,
  quarantine: {
    rows: 12,
    reasons: [
      { reason: 'origin is not null', rows: 9 },
      { reason: 'distance is between 10 and 6000', rows: 3 },
    ],
    digest: sampleDigest('9'),
  },
};

/** A dataset version of the flights, made new at every call: tests change it. */
export function sampleDataset(): Pick<DatasetVersion, 'digest' | 'asOf' | 'manifest' | 'card'> {
  return structuredClone({
    digest: CARD.dataset,
    asOf: CARD.asOf,
    manifest: {
      format: 1 as const,
      pipeline: 'flight-delay',
      splits: SPLITS,
      encoder: { columns: [], features: [] },
      label: { kind: 'binary' as const, name: 'late', threshold: 0.5 },
      slices: ['origin', 'weekend'],
    },
    card: CARD,
  });
}
