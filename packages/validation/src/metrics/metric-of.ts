import { METRICS, type Metric, type MetricValues } from '@perennial/contract';
import { MetricKindError } from '../errors.ts';
import type { BinaryRows, MulticlassRows, RegressionRows, ScoredRows } from '../scoring/scored-rows.ts';
import { accuracyMetric } from './accuracy.ts';
import { AucMetric } from './auc.ts';
import { brierMetric } from './brier.ts';
import { logLossMetric } from './log-loss.ts';
import { MacroF1Metric } from './macro-f1.ts';
import { R2Metric } from './r2.ts';
import { maeMetric, rmseMetric } from './regression-error.ts';
import { plainValue, type RowMetric } from './row-metric.ts';

type MetricsOf<Rows> = Record<string, ((rows: Rows) => RowMetric) | undefined>;

const BINARY = {
  auc: (rows) => new AucMetric(rows.labels, rows.probability),
  logLoss: logLossMetric,
  accuracy: accuracyMetric,
  brier: brierMetric,
} satisfies Record<(typeof METRICS)['binary'][number], (rows: BinaryRows) => RowMetric>;

const MULTICLASS = {
  logLoss: logLossMetric,
  accuracy: accuracyMetric,
  macroF1: (rows) => new MacroF1Metric(rows),
} satisfies Record<(typeof METRICS)['multiclass'][number], (rows: MulticlassRows) => RowMetric>;

const REGRESSION = {
  rmse: rmseMetric,
  mae: maeMetric,
  r2: (rows) => new R2Metric(rows),
} satisfies Record<(typeof METRICS)['regression'][number], (rows: RegressionRows) => RowMetric>;

/**
 * A metric prepared on rows.
 * @throws MetricKindError when the metric does not belong to the rows' kind of label
 */
export function metricOf(metric: Metric, rows: ScoredRows): RowMetric {
  const prepared = prepare(metric, rows);
  if (prepared === undefined) throw new MetricKindError(metric, rows.kind);
  return prepared;
}

function prepare(metric: Metric, rows: ScoredRows): RowMetric | undefined {
  switch (rows.kind) {
    case 'binary':
      return (BINARY as MetricsOf<BinaryRows>)[metric]?.(rows);
    case 'multiclass':
      return (MULTICLASS as MetricsOf<MulticlassRows>)[metric]?.(rows);
    case 'regression':
      return (REGRESSION as MetricsOf<RegressionRows>)[metric]?.(rows);
  }
}

/** Every metric of the rows' kind of label; null where the rows do not allow it. */
export function metricValues(rows: ScoredRows): MetricValues {
  const values: MetricValues = {};
  for (const metric of METRICS[rows.kind]) values[metric] = plainValue(metricOf(metric, rows));
  return values;
}
