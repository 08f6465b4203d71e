import type { Clock, IdGenerator, StepName, TrainingProgress } from '@perennial/contract';
import type { FileDigests, SourceReaders } from '@perennial/data';
import type { ArtifactStore, Database, Executor, RunRow } from '@perennial/storage';
import type { ProcessEnvironment, TrainerReserve } from '@perennial/training';
import type { ArtifactServers } from '@perennial/validation';
import type { PipelineCatalog } from '../pipeline-catalog.ts';

/** What the execution of a run works with. */
export interface RunContext {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  catalog: PipelineCatalog;
  /** What sources that are no files are read through. */
  sources: SourceReaders;
  /** Remembers the digests of source files from run to run. */
  digests: FileDigests;
  /** A folder of the run's own, removed when its execution ends. */
  workFolder: string;
  /** The platform's variables; processes that run author's code see few of them. */
  environment: ProcessEnvironment;
  /** Where the process comes from in which a candidate's file is served for its examination; null where none can be started. */
  servers: ArtifactServers | null;
  /** Where a training process can be made ready beforehand; null where trainings start their own. */
  trainer: TrainerReserve | null;
  /** Whether an OpenLineage receiver is told of the run. */
  announce: boolean;
  run: RunRow;
  /** The token that the run was taken with. */
  fence: number;
  signal: AbortSignal;
  /** Waits, or rejects with the signal's reason. */
  delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  publish: (step: StepName, progress: StepProgress) => void;
}

export interface StepProgress {
  /** Share of the step that is done, 0 to 1. */
  done: number;
  message: string;
  training?: TrainingProgress;
}

/** What a step works with. */
export interface StepContext extends RunContext {
  /** Digest of what `describeInput` said before the work began. */
  inputDigest: string;
  report: (progress: StepProgress) => void;
}

/** What a step has come to. */
export interface StepResult<Output> {
  output: Output;
  /** Writes what goes with the output, in the transaction that records the step's success; so nothing is written for a worker that lost its lease. */
  write?: (tx: Executor) => Promise<void>;
}

/** One step of a run: what its result follows from, and the work. Outputs are plain JSON, kept in the run's events. */
export interface StepDefinition<Input, Output> {
  name: Exclude<StepName, 'registration'>;
  /** Everything the output follows from, as JSON. Two runs with equal inputs may share one output. */
  describeInput: (context: RunContext, input: Input) => Promise<unknown>;
  execute: (context: StepContext, input: Input) => Promise<StepResult<Output>>;
  /** Whether an output of another run with the same inputs may stand for the work. */
  reusable: boolean;
}
