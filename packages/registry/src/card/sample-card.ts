import type { Evaluation, PipelineSpec } from '@perennial/contract';
import type { ModelCardParts } from './build-model-card.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

const SPEC: PipelineSpec = {
  name: 'flight-delay',
  description: 'Whether a flight leaves late.',
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
    expectations: [],
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
    seed: 7,
    timeout: '1h',
  },
  validate: {
    gate: { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates: 1000 },
    slices: ['origin'],
  },
  release: { approval: 'automatic' },
  serving: { modes: ['online'] },
};

const EVALUATION: Evaluation = {
  artifact: digest('a'),
  dataset: digest('d'),
  split: 'test',
  rows: 16_512,
  metrics: { auc: 0.70123, logLoss: 0.4512, accuracy: 0.8, brier: 0.1433 },
  intervals: { auc: { low: 0.6912, high: 0.7115, confidence: 0.9 } },
  slices: [
    {
      column: 'origin',
      value: 'ORD',
      rows: 1_204,
      metrics: { auc: 0.68, logLoss: 0.5, accuracy: 0.75, brier: 0.15 },
    },
    {
      column: 'origin',
      value: 'a|b',
      rows: 31,
      metrics: { auc: null, logLoss: 0.4, accuracy: 0.9, brier: 0.1 },
    },
    { column: 'origin', value: '', rows: 30, metrics: { auc: 0.5, logLoss: 0.4, accuracy: 0.9, brier: 0.1 } },
  ],
  meanPrediction: 0.21,
  meanLabel: 0.2,
};

const TEST_SPLIT = {
  digest: digest('e'),
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

const CHAMPION = { model: 'flight-delay', version: 6, artifact: digest('b') };

const DATASET: ModelCardParts['dataset'] = {
  digest: digest('d'),
  asOf: '2001-02-01T00:00:00.000Z',
  manifest: {
    format: 1,
    pipeline: 'flight-delay',
    splits: SPLITS,
    encoder: { columns: [], features: [] },
    label: { kind: 'binary', name: 'late', threshold: 0.5 },
    slices: ['origin'],
  },
  card: {
    pipeline: 'flight-delay',
    dataset: digest('d'),
    asOf: '2001-02-01T00:00:00.000Z',
    window: SPEC.data.window,
    source: SPEC.data.source,
    files: [],
    splits: SPLITS,
    columns: [],
    labels: {
      train: { mean: 0.2, standardDeviation: 0.4, classes: null },
      validation: { mean: 0.2, standardDeviation: 0.4, classes: null },
      test: { mean: 0.2, standardDeviation: 0.4, classes: null },
    },
    expectations: [],
    quarantine: { rows: 12, reasons: [] },
  },
};

const TRAINING: ModelCardParts['training'] = {
  artifact: digest('a'),
  bytes: 75_000,
  backend: 'wasm',
  device: 'CPU',
  seed: 7,
  parameters: 12_345,
  architecture: ['dense_1: dense 64, relu', 'dense_2: dense 32, relu', 'output: dense 1, sigmoid'],
  epochs: [
    { epoch: 1, loss: 0.48, validationLoss: 0.47 },
    { epoch: 2, loss: 0.46, validationLoss: null },
  ],
  warmStart: { from: digest('b'), note: 'The weights of version 6.' },
  parity: { rows: 1_000, maxDifference: 0.00000012 },
  seconds: 4.2,
};

const VALIDATION: ModelCardParts['validation'] = {
  evaluation: EVALUATION,
  championEvaluation: {
    ...EVALUATION,
    artifact: CHAMPION.artifact,
    metrics: { ...EVALUATION.metrics, auc: 0.699 },
  },
  report: {
    gate: SPEC.validate.gate,
    verdict: 'pass',
    explanation: 'With 95 % confidence it is worse by at most 0.0009.',
    dataset: digest('d'),
    rows: 16_512,
    candidate: { artifact: digest('a'), value: 0.70123 },
    champion: { ...CHAMPION, value: 0.699 },
    difference: { value: 0.00223, interval: { low: -0.0009, high: 0.0054, confidence: 0.9 } },
  },
};

/** What a run of the flights' pipeline leaves behind, made new at every call: tests change it. */
export function samplePartsOfCard(): ModelCardParts {
  return structuredClone({
    spec: SPEC,
    version: 7,
    createdAt: new Date('2001-02-01T03:00:05Z'),
    dataset: DATASET,
    training: TRAINING,
    validation: VALIDATION,
    signature: {
      inputs: [
        { name: 'distance', type: 'number' as const },
        { name: 'origin', type: 'text' as const },
      ],
      output: { kind: 'binary' as const, threshold: 0.5 },
    },
  });
}
