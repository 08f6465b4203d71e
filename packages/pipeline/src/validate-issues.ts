import {
  METRICS,
  metricSchema,
  type BehaviourSpec,
  type FeatureSpec,
  type Issue,
  type LabelSpec,
  type LimitSpec,
  type Measure,
  type PipelineSpec,
} from '@perennial/contract';
import { repeated } from './repeated.ts';

/** What is wrong with the validation of a pipeline, each field being right by itself. */
export function validateIssues(spec: PipelineSpec): Issue[] {
  const { gate, slices, goldenSets } = spec.validate;
  return [
    ...gate.comparisons.flatMap(({ metric }, index) =>
      metricIssues(spec.label, { metric, path: `validate.gate[${index}].metric` }),
    ),
    ...repeated(
      gate.comparisons.map(({ metric }) => metric),
      'validate.gate',
    ),
    ...gate.limits.flatMap((limit) => limitIssues(spec.label, limit, `validate.gate.${limit.kind}`)),
    ...repeated(slices.columns, 'validate.slices'),
    ...repeated(
      goldenSets.map(({ name }) => name),
      'validate.goldenSets',
    ),
    ...goldenSets.flatMap(({ limits }, index) =>
      limits.flatMap((limit) => limitIssues(spec.label, limit, `validate.goldenSets[${index}].limits`)),
    ),
    ...clusterIssues(spec),
    ...calibrationIssues(spec),
    ...behaviourIssues(spec),
  ];
}

function metricIssues(label: LabelSpec, { metric, path }: { metric: Measure; path: string }): Issue[] {
  const metrics: readonly string[] = METRICS[label.kind];
  if (metrics.includes(metric)) return [];
  const allowed = metrics.map((name) => `'${name}'`).join(', ');
  return [{ path, message: `must be one of ${allowed} for a ${label.kind} label, but is '${metric}'` }];
}

function limitIssues(label: LabelSpec, limit: LimitSpec, path: string): Issue[] {
  if (metricSchema.safeParse(limit.measure).success)
    return metricIssues(label, { metric: limit.measure, path });
  if (limit.kind === 'atLeast')
    return [{ path, message: `must be atMost for '${limit.measure}', of which less is better` }];
  if (limit.measure === 'calibrationError' && label.kind === 'regression')
    return [{ path, message: `cannot be about 'calibrationError': a regression has no probabilities` }];
  return [];
}

function clusterIssues({ data, validate }: PipelineSpec): Issue[] {
  if (data.key !== undefined) return [];
  return validate.gate.comparisons.flatMap(({ cluster }, index) =>
    cluster === 'entity'
      ? [{ path: `validate.gate[${index}].cluster`, message: `needs 'data.key', which names the entity` }]
      : [],
  );
}

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
  const columns = new Set(Object.values(features).flatMap(columnsOf));
  return validate.behaviour.flatMap((behaviour, index) => {
    const path = `validate.behaviour[${index}]`;
    if (!columns.has(behaviour.column)) {
      const message = `names '${behaviour.column}', which no feature reads; allowed: ${[...columns].join(', ')}`;
      return [{ path: `${path}.column`, message }];
    }
    return directionIssues(behaviour, label, path);
  });
}

function directionIssues(behaviour: BehaviourSpec, label: LabelSpec, path: string): Issue[] {
  if (behaviour.kind === 'invariant' || label.kind !== 'multiclass') return [];
  return [
    {
      path: `${path}.kind`,
      message: `must be 'invariant': the answer of a multiclass label has no direction`,
    },
  ];
}

function columnsOf(feature: FeatureSpec): string[] {
  return feature.kind === 'crossed' ? feature.columns : [feature.column];
}
