export type { BackendReport } from './backends/backend.ts';
export { detectBackends } from './detect-backends.ts';
export * from './errors.ts';
export type { Champion, FittedResult, TrainingJob } from './job.ts';
export type { CommandTrainingJob } from './command/job.ts';
export { trainByCommand, type AdoptionLimits, type CommandTrainOptions } from './command/train-by-command.ts';
export type { ProcessEnvironment } from './process-environment.ts';
export { TrainerReserve, type TrainerReserveOptions } from './trainer-reserve.ts';
export { train, type TrainingOutcome, type TrainOptions } from './train.ts';
