import type { CheckName, CheckResult, Comparison, GateReport, SliceComparison } from '@perennial/contract';
import { SAMPLE_SPEC, sampleDigest } from './sample-pipeline.ts';

const CHAMPION = { model: 'flight-delay', version: 6, artifact: sampleDigest('b') };

const COMPARISONS: Comparison[] = [
  {
    metric: 'auc',
    margin: 0.005,
    confidence: 0.96,
    method: 'paired bootstrap, BCa, 1,000 replicates of rows',
    candidate: 0.70123,
    champion: 0.699,
    difference: { value: 0.00223, interval: { low: -0.0009, high: 0.0054, confidence: 0.92 } },
    pValue: 0.0021,
    verdict: 'pass',
    explanation: 'With 96 % confidence AUC is worse by at most 0.0009, which is less than 0.005.',
    rowsToSettle: null,
  },
  {
    metric: 'logLoss',
    margin: 0.01,
    confidence: 0.96,
    method: 'paired bootstrap, BCa, 1,000 replicates of rows',
    candidate: 0.4512,
    champion: 0.4498,
    difference: { value: -0.0014, interval: { low: -0.0046, high: 0.0019, confidence: 0.92 } },
    pValue: 0.0008,
    verdict: 'pass',
    explanation: 'With 96 % confidence log loss is worse by at most 0.0046, which is less than 0.01.',
    rowsToSettle: null,
  },
];

function check(name: CheckName, rest: Partial<CheckResult> = {}): CheckResult {
  const plain = { subject: null, severity: 'fail' as const, measured: null, limit: null };
  return { name, ...plain, outcome: 'pass', explanation: 'Nothing was found.', ...rest };
}

function slice(values: Record<string, string>, rows: number, value: number): SliceComparison {
  return {
    slice: values,
    rows,
    metric: 'auc',
    candidate: 0.69 + value,
    champion: 0.69,
    difference: { value, interval: { low: value - 0.02, high: value + 0.021, confidence: 0.9 } },
    pValue: 0.62,
    clearlyWorse: false,
  };
}

const REPORT: GateReport = {
  gate: SAMPLE_SPEC.validate.gate,
  verdict: 'pass',
  explanation: 'With 96 % confidence the candidate is worse by less than the margin in AUC and in log loss.',
  dataset: sampleDigest('d'),
  rows: 16_512,
  seenRows: 14,
  candidate: { artifact: sampleDigest('a') },
  champion: CHAMPION,
  comparisons: COMPARISONS,
  checks: [
    check('limit', {
      subject: 'auc',
      measured: 0.70123,
      limit: 0.65,
      explanation: 'AUC is 0.7012, at least 0.65.',
    }),
    check('slices', { explanation: 'No slice is clearly worse.' }),
    check('better-than-linear', {
      severity: 'report',
      outcome: 'fail',
      measured: 0.70123,
      limit: 0.7031,
      explanation: 'AUC is 0.7012, of the linear model 0.7031.',
    }),
    check('golden-set', { outcome: 'skipped', explanation: 'The pipeline names no golden set.' }),
    check('feature-shift', { severity: 'report', subject: 'distance', measured: 0.04, limit: 0.25 }),
    check('served-answers', { measured: 1e-7, limit: 1e-4, explanation: 'At most 1e-7 apart on 200 rows.' }),
    check('served-latency', {
      measured: 1.9,
      limit: 3.6,
      explanation: 'p99 is 1.9 ms, of the champion 1.8 ms.',
    }),
  ],
  slices: {
    compared: 5,
    tooSmall: 219,
    worst: [
      slice({ origin: '' }, 210, -0.013),
      slice({ origin: 'ORD', weekend: 'true' }, 345, -0.006),
      slice({ origin: 'a|b' }, 311, 0.001),
    ],
  },
  shifts: [
    { feature: 'distance', column: 'distance', index: 0.041, description: 'mean from 812 to 847' },
    { feature: 'origin', column: 'origin', index: 0.012, description: 'share of ORD from 5.1 % to 5.3 %' },
  ],
  served: {
    requests: 200,
    rows: 1_000,
    maxDifference: 1e-7,
    p50Milliseconds: 0.8,
    p99Milliseconds: 1.9,
    residentMegabytes: 141,
    champion: { p50Milliseconds: 0.8, p99Milliseconds: 1.8 },
  },
  testSet: { split: sampleDigest('e'), comparison: 1, error: 0.04, left: 9 },
};

/** A report of a gate with two comparisons that both pass, made new at every call: tests change it. */
export function sampleGateReport(): GateReport {
  return structuredClone(REPORT);
}
