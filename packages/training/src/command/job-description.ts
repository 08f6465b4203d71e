import type { CommandJob, Split } from '@perennial/contract';
import type { CommandTrainingJob } from './job.ts';

/** Name of the variable that tells a command where its job is described. */
export const JOB_VARIABLE = 'PERENNIAL_JOB';

/** Most bytes of a model that a command leaves: it is read whole, by every process that serves it. */
export const MAX_MODEL_BYTES = 512 * 1024 * 1024;

/** What a command is told of its job. */
export function describeJob(job: CommandTrainingJob, modelFile: string): CommandJob {
  const { manifest, files, spec, window } = job;
  const { label, encoder, splits } = manifest;
  return {
    format: 1,
    pipeline: manifest.pipeline,
    dataset: job.datasetDigest,
    splits: {
      train: splitOf(splits.train, files.train),
      validation: splitOf(splits.validation, files.validation),
    },
    window,
    columns: encoder.columns,
    label: {
      kind: label.kind,
      name: label.name,
      column: '__label',
      ...(label.kind === 'multiclass' && { classes: label.classes }),
    },
    seed: spec.seed,
    output: { model: modelFile, maxBytes: MAX_MODEL_BYTES },
  };
}

function splitOf({ rows, from, to }: Split, path: string): CommandJob['splits']['train'] {
  return { path, rows, from, to };
}
