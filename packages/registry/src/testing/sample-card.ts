import type { TrainedCard } from '@perennial/contract';
import { buildModelCard, type ModelCardParts } from '../card/build-model-card.ts';
import { sampleDataset } from './sample-dataset.ts';
import { sampleEvaluation } from './sample-evaluation.ts';
import { sampleGateReport } from './sample-gate-report.ts';
import { SAMPLE_SPEC, sampleDigest } from './sample-pipeline.ts';

const TRAINING: ModelCardParts['training'] = {
  artifact: sampleDigest('a'),
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
  warmStart: { from: sampleDigest('b'), note: 'The weights of version 6.' },
  parity: { rows: 1_000, maxDifference: 0.00000012 },
  calibration: {
    method: 'temperature',
    temperature: 1.083,
    points: null,
    logLoss: { before: 0.4533, after: 0.4519 },
  },
  linear: { artifact: sampleDigest('c'), bytes: 41_000 },
  hardware: { cpu: 'AMD EPYC 7B13', cores: 2, memoryBytes: 8_589_934_592, node: '20.19.5' },
  seconds: 4.2,
};

function importance(feature: string, value: number) {
  return { feature, value, interval: { low: value - 0.002, high: value + 0.002, confidence: 0.95 } };
}

const VALIDATION: ModelCardParts['validation'] = {
  evaluation: sampleEvaluation('a', 0.70123),
  championEvaluation: sampleEvaluation('b', 0.699),
  baselines: [
    { name: 'constant', metrics: { auc: 0.5, logLoss: 0.5004, accuracy: 0.8, brier: 0.16 } },
    { name: 'linear', metrics: { auc: 0.7031, logLoss: 0.452, accuracy: 0.799, brier: 0.1436 } },
  ],
  importance: [
    importance('distance', 0.011),
    importance('date', 0.121),
    importance('origin', 0.034),
    importance('route', 0.021),
    importance('weekend', -0.0004),
  ],
  report: sampleGateReport(),
};

const HISTORY: TrainedCard['history'] = [6, 5, 4, 3, 2, 1].map((version) => ({
  version,
  createdAt: `2001-01-${20 + version}T03:00:05.000Z`,
  verdict: version === 1 ? 'no-baseline' : version === 4 ? 'fail' : 'pass',
  metrics: { auc: version === 4 ? 0.671 : 0.69 + version * 0.0015, logLoss: 0.46 - version * 0.001 },
}));

/** What a run of the flights' pipeline leaves behind, made new at every call: tests change it. */
export function samplePartsOfCard(): ModelCardParts {
  return structuredClone({
    spec: SAMPLE_SPEC,
    version: 7,
    createdAt: new Date('2001-02-01T03:00:05Z'),
    dataset: sampleDataset(),
    training: TRAINING,
    validation: VALIDATION,
    signature: {
      inputs: [
        { name: 'distance', type: 'number' as const },
        { name: 'origin', type: 'text' as const },
      ],
      output: { kind: 'binary' as const, threshold: 0.5 },
    },
    lineage: {
      kind: 'run',
      run: 'run_0190f2a0-0000-7000-8000-000000000001' as const,
      pipeline: 'flight-delay',
      codeDigest: sampleDigest('1'),
      dataset: sampleDigest('d'),
      warmStartedFrom: sampleDigest('b'),
      backend: 'wasm',
      device: 'CPU',
      seed: 7,
      platformVersion: '0.1.0',
    },
    history: HISTORY,
  });
}

/** The card of a version of the flights' model, with every section filled. */
export function sampleModelCard(): TrainedCard {
  return buildModelCard(samplePartsOfCard());
}
