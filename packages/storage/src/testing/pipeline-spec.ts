import type { PipelineSpec } from '@perennial/contract';

/** A small pipeline in its normal form, for tests of what refers to one. */
export const SPEC: PipelineSpec = {
  name: 'churn',
  owners: [],
  limitations: [],
  triggers: {},
  limits: { whenBusy: 'wait' },
  steps: {
    data: { timeout: '1h', attempts: 3, backoff: '5s' },
    training: { timeout: '12h', attempts: 3, backoff: '10s' },
    validation: { timeout: '1h', attempts: 3, backoff: '5s' },
  },
  data: {
    source: { kind: 'parquet', paths: ['churn.parquet'] },
    time: 'at',
    window: { train: '7d', validation: '1d', test: '1d' },
    expectations: [],
  },
  label: { kind: 'binary', name: 'churned', from: 'churned', threshold: 0.5 },
  features: {
    age: {
      kind: 'numeric',
      column: 'age',
      impute: 'mean',
      missingIndicator: false,
      log: false,
      scale: 'standard',
    },
  },
  train: {
    kind: 'mlp',
    hidden: [4],
    activation: 'relu',
    dropout: 0,
    batchNormalization: false,
    epochs: 1,
    batchSize: 32,
    learningRate: 0.01,
    optimizer: 'adam',
    calibration: 'none',
    seed: 1,
    timeout: '1h',
  },
  validate: {
    gate: {
      comparisons: [{ kind: 'notWorse', metric: 'auc', margin: 0.01, confidence: 0.95, replicates: 100 }],
      limits: [],
      inconclusive: 'hold',
    },
    slices: { columns: [], pairs: true, minRows: 200 },
    goldenSets: [],
    behaviour: [],
    checks: {},
    testSet: { comparisons: 10 },
  },
  release: { approval: 'automatic' },
  serving: { modes: ['online'] },
};
