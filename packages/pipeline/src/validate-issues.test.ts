import { pipelineSpecSchema } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { definePipeline } from './define-pipeline.ts';
import type { PipelineInput } from './definition.ts';
import { PipelineInvalidError } from './errors.ts';
import { categorical, numeric } from './features.ts';
import { atLeast, atMost, decreasing, increasing, invariant, notWorse } from './gate.ts';
import { binary, multiclass, regression } from './labels.ts';
import { parquet } from './sources.ts';
import { mlp } from './train.ts';

const DATASET = `sha256:${'a'.repeat(64)}`;
const smallest = {
  name: 'flight-delay',
  data: {
    source: parquet('flights.parquet'),
    time: 'date',
    window: { train: '28d', validation: '2d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 15' }),
  features: { distance: numeric() },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.005 }) },
} satisfies PipelineInput;

/** The issues of an input that breaks its type, as a JavaScript author's may. */
function issuesOf(input: unknown) {
  try {
    definePipeline(input as typeof smallest);
  } catch (error) {
    if (error instanceof PipelineInvalidError) return error.issues;
    throw error;
  }
  return [];
}

describe('the validation of a pipeline', () => {
  it('sorts the rules of a gate and fills in what a check leaves open', () => {
    const { spec } = definePipeline({
      ...smallest,
      data: { ...smallest.data, key: 'tail' },
      train: mlp({ calibration: 'isotonic' }),
      validate: {
        gate: [
          atLeast('auc', 0.6),
          notWorse({ metric: 'auc', margin: 0.005, cluster: 'entity' }),
          atMost('p99Milliseconds', 5),
          notWorse({ metric: 'logLoss', margin: 0.01, cluster: 'day' }),
          atMost('calibrationError', 0.05),
        ],
        inconclusive: 'release',
        slices: { columns: ['origin'], pairs: false, margin: 0.02 },
        goldenSets: [{ name: 'hurricane', dataset: DATASET, limits: [atLeast('accuracy', 0.7)] }],
        behaviour: [
          invariant('distance', { tolerance: 0.1 }),
          increasing('distance', { by: 100, allow: 0.01 }),
          decreasing('distance'),
        ],
        checks: { 'label-leak': 'report', 'served-latency': 'off' },
        testSet: { comparisons: 30 },
      },
    });
    const auc = { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates: 1000 };
    expect(spec.train).toMatchObject({ calibration: 'isotonic' });
    expect(spec.validate).toEqual({
      gate: {
        comparisons: [
          { ...auc, cluster: 'entity' },
          { ...auc, metric: 'logLoss', margin: 0.01, cluster: 'day' },
        ],
        limits: [
          { kind: 'atLeast', measure: 'auc', value: 0.6 },
          { kind: 'atMost', measure: 'p99Milliseconds', value: 5 },
          { kind: 'atMost', measure: 'calibrationError', value: 0.05 },
        ],
        inconclusive: 'release',
      },
      slices: { columns: ['origin'], pairs: false, minRows: 200, margin: 0.02 },
      goldenSets: [
        {
          name: 'hurricane',
          dataset: DATASET,
          limits: [{ kind: 'atLeast', measure: 'accuracy', value: 0.7 }],
        },
      ],
      behaviour: [
        { kind: 'invariant', column: 'distance', tolerance: 0.1, allow: 0 },
        { kind: 'increasing', column: 'distance', by: 100, tolerance: 0, allow: 0.01 },
        { kind: 'decreasing', column: 'distance', tolerance: 0, allow: 0 },
      ],
      checks: { 'label-leak': 'report', 'served-latency': 'off' },
      testSet: { comparisons: 30 },
    });
    expect(pipelineSpecSchema.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });
});

describe('a validation that makes no sense', () => {
  const AUC = notWorse({ metric: 'auc', margin: 0.01 });
  const golden = { name: 'a', dataset: DATASET };
  const classes = { label: multiclass('carrier', { from: 'carrier' }) };
  const delay = { label: regression('delay', { from: 'delay' }) };
  const rmse = notWorse({ metric: 'rmse', margin: 1 });
  const accuracy = notWorse({ metric: 'accuracy', margin: 0.1 });
  const text = { features: { distance: categorical() } };
  it.each<[string, object, object, string, string]>([
    ['no gate', {}, { gate: undefined }, 'validate.gate', 'missing'],
    ['a gate that is no rule', {}, { gate: [AUC, 'auc'] }, 'validate.gate[1]', 'expected object'],
    [
      'a gate of limits alone',
      {},
      { gate: [atLeast('auc', 0.6)] },
      'validate.gate',
      'a comparison with the champion, such as notWorse',
    ],
    [
      'a rule of no such kind',
      {},
      { gate: [atMost('brier', 0.2), AUC, { ...AUC, kind: 'better' }] },
      'validate.gate[2].kind',
      "'notWorse', 'atLeast', 'atMost'",
    ],
    [
      'a metric of another label, in its place of the list',
      {},
      { gate: [atMost('brier', 0.2), AUC, rmse] },
      'validate.gate[2].metric',
      "but is 'rmse'",
    ],
    [
      'a comparison’s unknown option',
      {},
      { gate: [AUC, { ...accuracy, sure: 1 }] },
      'validate.gate[1]',
      'its fields are kind, metric',
    ],
    ['a metric compared twice', {}, { gate: [AUC, AUC] }, 'validate.gate', "'auc' twice"],
    [
      'a margin of percents',
      {},
      { gate: notWorse({ metric: 'auc', margin: 5 }) },
      'validate.gate.margin',
      'must be below 1',
    ],
    [
      'a cluster of entities without a key',
      {},
      { gate: { ...AUC, cluster: 'entity' } },
      'validate.gate.cluster',
      "'data.key'",
    ],
    [
      'a limit of no such measure',
      {},
      { gate: [AUC, { kind: 'atMost', measure: 'price', value: 1 }] },
      'validate.gate[1].measure',
      "'p99Milliseconds'",
    ],
    [
      'a limit of another label’s metric',
      {},
      { gate: [atMost('p99Milliseconds', 9), AUC, atLeast('r2', 0.1)] },
      'validate.gate[2].measure',
      "but is 'r2'",
    ],
    [
      'a floor under what is better when it is less',
      {},
      { gate: [AUC, atLeast('p99Milliseconds', 1)] },
      'validate.gate[1].measure',
      'atMost',
    ],
    ['a limit of percents', {}, { gate: [AUC, atLeast('auc', 60)] }, 'validate.gate[1].value', '0 and 1'],
    [
      'a limit below what there can be',
      delay,
      { gate: [rmse, atMost('rmse', -1)] },
      'validate.gate[1].value',
      'at least 0',
    ],
    [
      'a limit above what there can be',
      delay,
      { gate: [rmse, atLeast('r2', 2)] },
      'validate.gate[1].value',
      'at most 1',
    ],
    [
      'a calibration error of a regression',
      delay,
      { gate: [rmse, atMost('calibrationError', 0.1)] },
      'validate.gate[1].measure',
      'no probabilities',
    ],
    [
      'a limit set twice',
      {},
      { gate: [atLeast('auc', 0.5), AUC, atLeast('auc', 0.6)] },
      'validate.gate[2]',
      'a second time',
    ],
    [
      'limits that exclude each other',
      {},
      { gate: [AUC, atLeast('auc', 0.8), atMost('auc', 0.7)] },
      'validate.gate[2]',
      'leaves no candidate',
    ],
    [
      'an unknown policy',
      {},
      { gate: AUC, inconclusive: 'wait' },
      'validate.inconclusive',
      "'hold', 'release'",
    ],
    ['an unknown field', {}, { gate: AUC, golden: [] }, 'validate', 'inconclusive'],
    [
      'slices of a repeated column',
      {},
      { gate: AUC, slices: { columns: ['a', 'a'] } },
      'validate.slices.columns',
      "'a' twice",
    ],
    ['a reserved slice', {}, { gate: AUC, slices: ['__row'] }, 'validate.slices', "'__row'"],
    [
      'slices too small to judge',
      {},
      { gate: AUC, slices: { columns: ['a'], minRows: 5 } },
      'validate.slices.minRows',
      '>=50',
    ],
    [
      'two golden sets of one name',
      {},
      { gate: AUC, goldenSets: [golden, golden] },
      'validate.goldenSets',
      "'a' twice",
    ],
    [
      'a golden set that is no digest',
      {},
      { gate: AUC, goldenSets: [{ ...golden, dataset: 'hurricane' }] },
      'validate.goldenSets[0].dataset',
      'sha256',
    ],
    [
      'a golden set’s margin of percents',
      {},
      { gate: AUC, goldenSets: [{ ...golden, margin: 1 }] },
      'validate.goldenSets[0].margin',
      'below 1',
    ],
    [
      'a golden set’s limit of another label’s metric',
      {},
      { gate: AUC, goldenSets: [{ ...golden, limits: [atLeast('auc', 0.6), atMost('mae', 2)] }] },
      'validate.goldenSets[0].limits[1].measure',
      "but is 'mae'",
    ],
    [
      'a behaviour of a column that no feature reads',
      {},
      { gate: AUC, behaviour: [invariant('distance'), increasing('delay')] },
      'validate.behaviour[1].column',
      'allowed: distance',
    ],
    [
      'a direction of several classes',
      classes,
      { gate: accuracy, behaviour: [increasing('distance')] },
      'validate.behaviour[0].kind',
      "'invariant'",
    ],
    [
      'a direction of a text',
      text,
      { gate: AUC, behaviour: [decreasing('distance')] },
      'validate.behaviour[0].column',
      'no numeric feature',
    ],
    [
      'a share of rows in percents',
      {},
      { gate: AUC, behaviour: [invariant('distance', { allow: 5 })] },
      'validate.behaviour[0].allow',
      '<=1',
    ],
    [
      'a check of no such name',
      {},
      { gate: AUC, checks: { leak: 'off' } },
      'validate.checks',
      'label-leak, unit-change',
    ],
    [
      'a severity of no such name',
      {},
      { gate: AUC, checks: { 'label-leak': 'warn' } },
      'validate.checks.label-leak',
      "'fail', 'report', 'off'",
    ],
    [
      'a test set that answers nobody',
      {},
      { gate: AUC, testSet: { comparisons: 0 } },
      'validate.testSet.comparisons',
      '>=1',
    ],
    [
      'calibrated values',
      { ...delay, train: mlp({ calibration: 'temperature' }) },
      { gate: rmse },
      'train.calibration',
      'regression',
    ],
    [
      'several classes on one curve',
      { ...classes, train: mlp({ calibration: 'isotonic' }) },
      { gate: accuracy },
      'train.calibration',
      "'temperature' or 'none'",
    ],
  ])('is refused by field: %s', (...[, parts, validate, path, message]) => {
    const issues = issuesOf({ ...smallest, ...parts, validate });
    expect(issues.map((issue) => issue.path)).toEqual([path]);
    expect(issues[0]?.message).toContain(message);
  });
});
