export * from './errors.ts';
export type { CheckFinding } from './checks/finding.ts';
export type { RunningArtifactServer, StartArtifactServer } from './checks/served/artifact-server.ts';
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
export { validate } from './validate.ts';
export type {
  ChampionFile,
  GoldenSet,
  ModelFile,
  TestSetQuestion,
  ValidationInput,
  ValidationResult,
} from './validation-input.ts';
