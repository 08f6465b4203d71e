import {
  METRICS,
  METRIC_TITLES,
  type BehaviourSpec,
  type FeatureSpec,
  type Issue,
  type LabelSpec,
  type LimitSpec,
  type Measure,
  type Metric,
  type NotWorseSpec,
  type PipelineSpec,
} from '@perennial/contract';
import { repeated } from './repeated.ts';

/** What is wrong with the validation of a pipeline, each field being right by itself. Paths are those of the normal form. */
export function validateIssues(spec: PipelineSpec): Issue[] {
  return [
    ...comparisonsIssues(spec),
    ...limitsIssues(spec.label, spec.validate.gate.limits, 'validate.gate.limits'),
    ...repeated(spec.validate.slices.columns, 'validate.slices.columns'),
    ...goldenSetIssues(spec),
    ...calibrationIssues(spec),
    ...behaviourIssues(spec),
  ];
}

// --- Comparisons --------------------------------------------------------------------------------------------------------------

function comparisonsIssues({ data, label, validate }: PipelineSpec): Issue[] {
  const { comparisons } = validate.gate;
  return [
    ...comparisons.flatMap((comparison, index) =>
      comparisonIssues(comparison, { label, hasKey: data.key !== undefined, index }),
    ),
    ...repeated(
      comparisons.map(({ metric }) => metric),
      'validate.gate.comparisons',
    ),
  ];
}

function comparisonIssues(
  { metric, margin, cluster }: NotWorseSpec,
  { label, hasKey, index }: { label: LabelSpec; hasKey: boolean; index: number },
): Issue[] {
  const path = `validate.gate.comparisons[${index}]`;
  const issues = [
    ...metricIssues(label, { metric, path: `${path}.metric` }),
    ...marginIssues(metric, { margin, path: `${path}.margin` }),
  ];
  if (cluster === 'entity' && !hasKey)
    issues.push({ path: `${path}.cluster`, message: `needs 'data.key', which names the entity` });
  return issues;
}

function metricIssues(label: LabelSpec, { metric, path }: { metric: Measure; path: string }): Issue[] {
  const metrics: readonly string[] = METRICS[label.kind];
  if (metrics.includes(metric)) return [];
  const allowed = metrics.map((name) => `'${name}'`).join(', ');
  return [{ path, message: `must be one of ${allowed} for a ${label.kind} label, but is '${metric}'` }];
}

/** Measures that lie between 0 and 1; someone who writes 5 means percents, and would let everything pass. */
const SHARES: readonly Measure[] = ['auc', 'accuracy', 'brier', 'macroF1', 'calibrationError'];

function marginIssues(
  metric: Metric,
  { margin, path }: { margin: number | undefined; path: string },
): Issue[] {
  if (margin === undefined || margin < 1 || !SHARES.includes(metric)) return [];
  return [{ path, message: `must be below 1 for '${metric}', which lies between 0 and 1, but is ${margin}` }];
}

// --- Limits -------------------------------------------------------------------------------------------------------------------

function limitsIssues(label: LabelSpec, limits: LimitSpec[], path: string): Issue[] {
  return [
    ...limits.flatMap((limit, index) => limitIssues(label, limit, `${path}[${index}]`)),
    ...limits.flatMap((limit, index) => clashes(limit, limits.slice(0, index), `${path}[${index}]`)),
  ];
}

function limitIssues(label: LabelSpec, limit: LimitSpec, path: string): Issue[] {
  const { kind, measure } = limit;
  if (measure in METRIC_TITLES) {
    const issues = metricIssues(label, { metric: measure, path: `${path}.measure` });
    if (issues.length > 0) return issues;
  } else if (kind === 'atLeast') {
    return [
      { path: `${path}.measure`, message: `must be limited by atMost: of '${measure}' less is better` },
    ];
  } else if (measure === 'calibrationError' && label.kind === 'regression') {
    const message = `cannot be 'calibrationError': a regression has no probabilities`;
    return [{ path: `${path}.measure`, message }];
  }
  return limitValueIssues(limit, `${path}.value`);
}

/** A limit out of the measure's range holds for every candidate or for none. */
function limitValueIssues({ measure, value }: LimitSpec, path: string): Issue[] {
  if (SHARES.includes(measure)) {
    if (value >= 0 && value <= 1) return [];
    return [{ path, message: `must be between 0 and 1 for '${measure}', but is ${value}` }];
  }
  // R² has no lower end; all others count from 0.
  if (measure === 'r2' ? value <= 1 : value >= 0) return [];
  return [
    {
      path,
      message: `must be ${measure === 'r2' ? 'at most 1' : 'at least 0'} for '${measure}', but is ${value}`,
    },
  ];
}

function clashes({ kind, measure, value }: LimitSpec, earlier: LimitSpec[], path: string): Issue[] {
  const others = earlier.filter((limit) => limit.measure === measure);
  if (others.some((limit) => limit.kind === kind))
    return [{ path, message: `limits '${measure}' by ${kind} a second time` }];
  const impossible = others.find((limit) => (kind === 'atLeast' ? limit.value < value : limit.value > value));
  if (impossible === undefined) return [];
  const message = `leaves no candidate: '${measure}' would be ${kind} ${value} and ${impossible.kind} ${impossible.value}`;
  return [{ path, message }];
}

// --- Golden sets --------------------------------------------------------------------------------------------------------------

function goldenSetIssues({ label, validate }: PipelineSpec): Issue[] {
  const { gate, goldenSets } = validate;
  const primary = gate.comparisons[0]?.metric;
  return [
    ...repeated(
      goldenSets.map(({ name }) => name),
      'validate.goldenSets',
    ),
    ...goldenSets.flatMap(({ margin, limits }, index) => {
      const path = `validate.goldenSets[${index}]`;
      return [
        ...(primary === undefined ? [] : marginIssues(primary, { margin, path: `${path}.margin` })),
        ...limitsIssues(label, limits, `${path}.limits`),
      ];
    }),
  ];
}

// --- Calibration and behaviour ------------------------------------------------------------------------------------------------

function calibrationIssues({ label, train }: PipelineSpec): Issue[] {
  if (train.kind === 'command' || train.calibration === 'none') return [];
  const path = 'train.calibration';
  if (label.kind === 'regression')
    return [{ path, message: `must be 'none' for a regression, which has no probabilities` }];
  if (label.kind === 'multiclass' && train.calibration === 'isotonic')
    return [{ path, message: `must be 'temperature' or 'none' for a multiclass label` }];
  return [];
}

function behaviourIssues({ features, label, validate }: PipelineSpec): Issue[] {
  return validate.behaviour.flatMap((behaviour, index) => {
    const path = `validate.behaviour[${index}]`;
    const readers = Object.values(features).filter((feature) =>
      columnsOf(feature).includes(behaviour.column),
    );
    if (readers.length > 0) return directionIssues(behaviour, { label, readers, path });
    const columns = [...new Set(Object.values(features).flatMap(columnsOf))].join(', ');
    const message = `names '${behaviour.column}', which no feature reads; allowed: ${columns}`;
    return [{ path: `${path}.column`, message }];
  });
}

function directionIssues(
  { kind, column }: BehaviourSpec,
  { label, readers, path }: { label: LabelSpec; readers: FeatureSpec[]; path: string },
): Issue[] {
  if (kind === 'invariant') return [];
  if (label.kind === 'multiclass') {
    const message = `must be 'invariant': the answer of a multiclass label has no direction`;
    return [{ path: `${path}.kind`, message }];
  }
  if (readers.some((feature) => feature.kind === 'numeric')) return [];
  const message = `names '${column}', which no numeric feature reads: only of a number is there more or less`;
  return [{ path: `${path}.column`, message }];
}

function columnsOf(feature: FeatureSpec): string[] {
  return feature.kind === 'crossed' ? feature.columns : [feature.column];
}
