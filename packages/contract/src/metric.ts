import { z } from 'zod';

/** The metrics that labels of each kind have. */
export const METRICS = {
  binary: ['auc', 'logLoss', 'accuracy', 'brier'],
  multiclass: ['logLoss', 'accuracy', 'macroF1'],
  regression: ['rmse', 'mae', 'r2'],
} as const;
type AnyMetric = (typeof METRICS)[keyof typeof METRICS][number];
export const metricSchema = z.enum([...new Set(Object.values(METRICS).flat())] as [
  AnyMetric,
  ...AnyMetric[],
]);
export type Metric = z.infer<typeof metricSchema>;

/** Whether more of a metric is better. */
export const HIGHER_IS_BETTER: Record<Metric, boolean> = {
  auc: true,
  logLoss: false,
  accuracy: true,
  brier: false,
  macroF1: true,
  rmse: false,
  mae: false,
  r2: true,
};

/** What a metric is called in a sentence or a table's head. */
export const METRIC_TITLES: Record<Metric, string> = {
  auc: 'AUC',
  logLoss: 'log loss',
  accuracy: 'accuracy',
  brier: 'Brier score',
  macroF1: 'macro F1',
  rmse: 'RMSE',
  mae: 'mean absolute error',
  r2: 'R²',
};

/** What an absolute limit of the gate may be about, beside the metrics. */
export const MEASURES = ['calibrationError', 'p99Milliseconds', 'residentMegabytes'] as const;
export const measureSchema = z.enum([...metricSchema.options, ...MEASURES]);
export type Measure = z.infer<typeof measureSchema>;

export const MEASURE_TITLES: Record<Measure, string> = {
  ...METRIC_TITLES,
  calibrationError: 'expected calibration error',
  p99Milliseconds: '99th percentile of latency in milliseconds',
  residentMegabytes: 'resident memory in megabytes',
};
