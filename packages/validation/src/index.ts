export * from './errors.ts';
export { decideNotWorse, type GateAnswer, type GateChampion, type GateQuestion } from './gate/not-worse.ts';
export { metricOf, metricValues } from './metrics/metric-of.ts';
export { plainValue, type RowMetric } from './metrics/row-metric.ts';
export type { BinaryRows, MulticlassRows, RegressionRows, ScoredRows } from './scoring/scored-rows.ts';
export {
  bootstrapDifference,
  bootstrapMetric,
  type BootstrapOptions,
  type Estimate,
  type PairedEstimate,
} from './statistics/paired-bootstrap.ts';
export { compareAucByDeLong, type DeLongComparison } from './statistics/delong.ts';
export { validate, type ValidationInput, type ValidationResult } from './validate.ts';
