import type { CommandTrainSpec, DatasetManifest, Digest, WindowSpec } from '@perennial/contract';

/** Everything a training by a command needs. Files are absolute local paths. */
export interface CommandTrainingJob {
  manifest: DatasetManifest;
  /** Address of the dataset version. */
  datasetDigest: Digest;
  files: { train: string; validation: string };
  spec: CommandTrainSpec;
  window: WindowSpec;
  /** The command's working folder. */
  pipelineFolder: string;
  /** Must exist, may be thrown away afterwards; `job.json` and the command's model go here. */
  workFolder: string;
  /** Where the artifact goes. It appears there whole or not at all. */
  outputFile: string;
}

/** A program to run to its end. */
export interface CommandTask {
  argv: string[];
  folder: string;
  /** All the variables that it sees. */
  environment: Record<string, string>;
  /** After so many milliseconds it and all that it started are stopped. */
  timeout: number;
}

/** A model that a command left, to be made an artifact. */
export interface AdoptionTask {
  modelFile: string;
  outputFile: string;
  manifest: DatasetManifest;
  /** Rows that the artifact is tried on. */
  validationFile: string;
}
