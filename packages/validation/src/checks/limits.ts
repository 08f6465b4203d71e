import {
  MEASURE_TITLES,
  type Evaluation,
  type LimitSpec,
  type Measure,
  type Metric,
  type ServedReport,
} from '@perennial/contract';
import type { CheckFinding } from './finding.ts';
import { numberText } from './wording.ts';

/** What limits may be about, measured on the candidate. */
export interface Measured {
  evaluation: Pick<Evaluation, 'metrics' | 'intervals' | 'calibration'>;
  served: ServedReport | null;
}

/**
 * Whether the candidate keeps its floors and ceilings. A metric's limit is held by its value, not by an end of its interval: a floor says
 * what was seen to work, and a day of few rows must not stop a model that keeps it. The interval stands in the explanation. What could
 * not be measured is `skipped`, which leaves the gate's verdict open: it is not shown to keep the limit.
 */
export function checkLimits(limits: readonly LimitSpec[], measured: Measured): CheckFinding[] {
  return limits.map((limit) => judge(limit, measured));
}

function judge(limit: LimitSpec, measured: Measured): CheckFinding {
  const value = measuredValue(limit.measure, measured);
  const finding = {
    name: 'limit',
    subject: MEASURE_TITLES[limit.measure],
    measured: value,
    limit: limit.value,
  } as const;
  const asked = `${limit.kind === 'atLeast' ? 'at least' : 'at most'} ${numberText(limit.value)}`;
  const title = `The candidate's ${MEASURE_TITLES[limit.measure]}`;
  if (value === null) {
    const explanation = `${title} must be ${asked}, and could not be measured.`;
    return { ...finding, outcome: 'skipped', explanation };
  }
  const holds = limit.kind === 'atLeast' ? value >= limit.value : value <= limit.value;
  const between = intervalText(limit.measure, measured);
  const explanation = `${title} is ${numberText(value)}${between}, ${holds ? '' : 'and must be '}${asked}${holds ? ' as asked' : ''}.`;
  return { ...finding, outcome: holds ? 'pass' : 'fail', explanation };
}

function measuredValue(measure: Measure, { evaluation, served }: Measured): number | null {
  switch (measure) {
    case 'calibrationError':
      return evaluation.calibration?.error ?? null;
    case 'p99Milliseconds':
      return served?.p99Milliseconds ?? null;
    case 'residentMegabytes':
      return served?.residentMegabytes ?? null;
    case 'auc':
    case 'logLoss':
    case 'accuracy':
    case 'brier':
    case 'macroF1':
    case 'rmse':
    case 'mae':
    case 'r2':
      return evaluation.metrics[measure] ?? null;
  }
}

function intervalText(measure: Measure, { evaluation }: Measured): string {
  const interval = evaluation.intervals[measure as Metric];
  if (interval === undefined) return '';
  return ` (${numberText(interval.confidence * 100)} % interval ${numberText(interval.low)} to ${numberText(interval.high)})`;
}
