import type {
  BackendName,
  DatasetManifest,
  Digest,
  ErrorDescription,
  LabelSpec,
  NetworkTrainSpec,
  TrainingProgress,
  TrainingResult,
} from '@perennial/contract';
import type { BackendReport } from './backends/backend.ts';
import type { AdoptionTask, CommandTask } from './command/job.ts';

/** Everything a training needs. Files are local paths. */
export interface TrainingJob {
  manifest: DatasetManifest;
  /** Address of the dataset version; kept in the artifact. */
  datasetDigest: Digest;
  files: { train: string; validation: string };
  spec: NetworkTrainSpec;
  label: LabelSpec;
  /** Where a custom network's function is; needed for `spec.kind: 'custom'` only. */
  pipelineFile?: string;
  /** Address of the pipeline's code; kept in the artifact. */
  codeDigest: Digest;
  /** The champion whose weights to begin at; used where `spec.warmStart` is there. */
  warmStart?: Champion;
  /**
   * `auto` takes the best that can be used here, in a fixed order, so that one machine always takes the same.
   * @default 'auto'
   */
  backend?: BackendName | 'auto';
  /** Working folder of the training process: must exist, may be thrown away afterwards. */
  workFolder: string;
  /** Where the artifact goes. It appears there whole or not at all. */
  outputFile: string;
  /**
   * Where the linear baseline goes, an artifact of its own: a logistic, softmax or linear regression on the same encoded features.
   * @default none is fitted
   */
  linearFile?: string;
}

/** A champion's artifact, as bytes or as a local file. */
export type Champion = { digest: Digest } & ({ bytes: Uint8Array } | { file: string });

/** What a training step leaves behind, but for what storing the artifacts adds. */
export type FittedResult = Omit<TrainingResult, 'artifact' | 'bytes' | 'linear'> & {
  /**
   * The linear baseline's artifact lies in this local file (the job's `linearFile`), to be put into the store beside the main one; null where the
   * job names no file for it, where a command trained, and where features of boundless size leave no number.
   */
  linear: { file: string } | null;
};

/** Asks a training process to load what a training needs before there is one. */
export interface Preparation {
  kind: 'prepare';
}

/** What the training process is asked to do. One assignment, one process. */
export type Assignment =
  | { kind: 'train'; job: TrainingJob }
  | { kind: 'command'; task: CommandTask }
  | { kind: 'adopt'; task: AdoptionTask }
  | { kind: 'probe'; backend: BackendName };

/** What the training process says. The last message is anything but `progress`. */
export type Report =
  | { kind: 'progress'; progress: TrainingProgress }
  | { kind: 'done'; result: FittedResult }
  | { kind: 'probed'; report: BackendReport }
  | { kind: 'command-ended' }
  | { kind: 'adopted'; operators: string[] }
  | { kind: 'failed'; failure: Failure };

/** An error on its way out of the training process: what it says, and what a class of ours is made again from. */
export interface Failure extends ErrorDescription {
  /** Class name of the error. */
  name: string;
}
