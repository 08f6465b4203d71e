import type { Clock, IdGenerator, StepName, TrainingProgress } from '@perennial/contract';
import type { ArtifactStore, Database, RunRow } from '@perennial/storage';
import type { PipelineCatalog } from '../pipeline-catalog.ts';

/** What the execution of a run works with. */
export interface RunContext {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  catalog: PipelineCatalog;
  /** A folder of the run's own, removed when its execution ends. */
  workFolder: string;
  run: RunRow;
  signal: AbortSignal;
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
  report: (progress: StepProgress) => void;
}

/** One step of a run: what its result follows from, and the work. Outputs are plain JSON, kept in the run's events. */
export interface StepDefinition<Input, Output> {
  name: StepName;
  /** Everything the output follows from, as JSON. Two runs with equal inputs may share one output. */
  describeInput: (context: RunContext, input: Input) => Promise<unknown>;
  execute: (context: StepContext, input: Input) => Promise<Output>;
  /** Whether an output of another run with the same inputs may stand for the work. */
  reusable: boolean;
}
