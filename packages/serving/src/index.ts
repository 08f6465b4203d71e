export * from './advice/serving-adviser.ts';
export * from './async/async-prediction-desk.ts';
export * from './async/async-prediction-executor.ts';
export * from './async/ended-predictions.ts';
export * from './caches/inference-caches.ts';
export * from './caches/version-cache.ts';
export * from './errors.ts';
export * from './instances/column-reader.ts';
export { InstanceFiller } from './instances/instance-filler.ts';
export * from './instances/instance-reader.ts';
export { formatOutput } from './instances/output.ts';
export { parseTimestamp, timestampMilliseconds } from './instances/timestamp.ts';
export {
  encodeColumnPredictions,
  type ColumnPredictions,
  type RecordedColumn,
  type RecordedValues,
} from './journal/column-record.ts';
export type { EncodedFrames } from './journal/frame-buffer.ts';
export { Journal } from './journal/journal.ts';
export type { AppendTerms, JournalCounters, JournalOptions, WhenFull } from './journal/journal-options.ts';
export type { JournalReader, RecordBatch } from './journal/journal-reader.ts';
export { comparePositions, type Position } from './journal/position.ts';
export { encodePrediction } from './journal/prediction-record.ts';
export {
  RECORD_ALL,
  compileRecordPolicy,
  recordPolicyOf,
  type RecordPolicy,
} from './journal/record-policy.ts';
export { baseId, rowId } from './journal/row-ids.ts';
export type { LatencyHistogram } from './journal/latency-histogram.ts';
export type { Durability } from './journal/segment-writer.ts';
export * from './models/artifact-cache.ts';
export * from './models/attested-versions.ts';
export * from './models/champion.ts';
export * from './models/champion-table.ts';
export * from './models/database-champions.ts';
export type { Resident } from './models/resident.ts';
export type { ServedModel } from './models/served-model.ts';
export * from './models/served-models.ts';
export * from './online/column-predictions.ts';
export { isPlainRequest } from './online/check-request.ts';
export { MicroBatcher, type BatchAnswer, type MicroBatcherOptions } from './online/micro-batcher.ts';
export { EntityFeatures, type EntityFeaturesOptions, type KnownEntity } from './offline/entity-features.ts';
export { HybridPredictions, type HybridPredictionsOptions } from './offline/hybrid-predictions.ts';
export { PrecomputedAnswers, type PrecomputedAnswersOptions } from './offline/precomputed-answers.ts';
export { PredictionLookups, type PredictionLookupsOptions } from './offline/prediction-lookups.ts';
export * from './online/prediction-phases.ts';
export * from './online/prediction-service.ts';
export type { Predictor } from './online/predictor.ts';
export type { ShipperCounters, ShippingPace } from './shipping/shipper.ts';
export {
  ThreadedShipper,
  type ShippingBacklog,
  type ThreadedShipperOptions,
} from './shipping/threaded-shipper.ts';
export { LargeRequestThread } from './workers/large-request-thread.ts';
export { stepBack } from './workers/step-back.ts';
export { LargeRequests, type LargeRequestsOptions } from './workers/large-requests.ts';
export { systemDelay, type Delay } from './waiting/delay.ts';
