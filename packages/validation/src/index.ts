export * from './errors.ts';
export type { CheckFinding } from './checks/finding.ts';
export {
  examineServed,
  type ServableModel,
  type ServedExamination,
  type ServedQuestion,
} from './checks/served/examine-served.ts';
export type {
  ArtifactServers,
  RunningArtifactServer,
  StartArtifactServer,
} from './checks/served/artifact-server.ts';
export { isServedForExamination } from './checks/served/is-served.ts';
export { metricOf, metricValues } from './metrics/metric-of.ts';
export { plainValue, type RowMetric } from './metrics/row-metric.ts';
export type { ScoringModel } from './scoring/score-split.ts';
export type { BinaryRows, MulticlassRows, RegressionRows, ScoredRows } from './scoring/scored-rows.ts';
export {
  estimateDifference,
  estimateMetric,
  sameArtifactEstimate,
  type ComparisonEstimate,
  type ComparisonQuestion,
  type Estimate,
} from './gate/compare.ts';
export { holm } from './gate/holm.ts';
export { BootstrapDistribution, type BootstrapReplicates } from './statistics/bca.ts';
export {
  bootstrapDifference,
  bootstrapMetric,
  type BootstrapOptions,
  type PairedDistributions,
} from './statistics/paired-bootstrap.ts';
export { RandomStream } from './statistics/random.ts';
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
