export type { BackendReport } from './backends/backend.ts';
export { detectBackends } from './detect-backends.ts';
export * from './errors.ts';
export type { Champion, FittedResult, TrainingJob } from './job.ts';
export { train, type TrainingOutcome, type TrainOptions } from './train.ts';
