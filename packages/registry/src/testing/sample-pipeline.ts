import type { PipelineSpec } from '@perennial/contract';

/** A digest that is told apart by its digit. */
export const sampleDigest = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The flights' pipeline in its normal form. */
export const SAMPLE_SPEC: PipelineSpec = {
  name: 'flight-delay',
  description: 'Whether a flight leaves late.\n\nAsked when the day before the departure is over.',
  owners: ['flights@example.org'],
  intendedUse: 'Planning of gates.',
  limitations: ['Knows flights within the United States only.'],
  triggers: {},
  limits: { whenBusy: 'wait' },
  steps: {
    data: { timeout: '1h', attempts: 3, backoff: '5s' },
    training: { timeout: '12h', attempts: 3, backoff: '10s' },
    validation: { timeout: '1h', attempts: 3, backoff: '5s' },
  },
  data: {
    source: { kind: 'parquet', paths: ['flights.parquet'] },
    time: 'date',
    window: { train: '28d', validation: '2d', test: '1d' },
    expectations: [
      { kind: 'notNull', column: 'origin' },
      { kind: 'between', column: 'distance', min: 10, max: 6_000 },
    ],
  },
  label: { kind: 'binary', name: 'late', from: 'delay > 15', threshold: 0.5 },
  features: {
    distance: {
      kind: 'numeric',
      column: 'distance',
      impute: 'mean',
      missingIndicator: false,
      log: false,
      scale: 'standard',
    },
    origin: {
      kind: 'categorical',
      column: 'origin',
      minCount: 50,
      maxSize: 10_000,
      encoding: { kind: 'embedding' },
    },
    route: {
      kind: 'crossed',
      columns: ['origin', 'destination'],
      buckets: 4096,
      minCount: 1,
      encoding: { kind: 'oneHot' },
    },
    date: { kind: 'timestamp', column: 'date', parts: ['hourOfDay', 'dayOfWeek'], cyclic: true },
    weekend: { kind: 'boolean', column: 'weekend' },
  },
  train: {
    kind: 'mlp',
    hidden: [64, 32],
    activation: 'relu',
    dropout: 0.1,
    batchNormalization: true,
    epochs: 3,
    batchSize: 1024,
    learningRate: 0.001,
    optimizer: 'adam',
    calibration: 'temperature',
    seed: 7,
    timeout: '1h',
  },
  validate: {
    gate: {
      comparisons: [
        { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates: 1_000 },
        { kind: 'notWorse', metric: 'logLoss', margin: 0.01, confidence: 0.95, replicates: 1_000 },
      ],
      limits: [{ kind: 'atLeast', measure: 'auc', value: 0.65 }],
      inconclusive: 'hold',
    },
    slices: { columns: ['origin', 'weekend'], pairs: true, minRows: 200 },
    goldenSets: [],
    behaviour: [],
    checks: {},
    testSet: { comparisons: 10 },
  },
  release: { approval: 'automatic' },
  serving: { modes: ['online'] },
};
