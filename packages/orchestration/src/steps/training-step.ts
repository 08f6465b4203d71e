import { join } from 'node:path';
import type { TrainingProgress, TrainingResult } from '@perennial/contract';
import { championBefore, getDatasetVersion } from '@perennial/storage';
import { train } from '@perennial/training';
import { PipelineChangedError } from '../errors.ts';
import type { DataOutput } from './data-step.ts';
import type { RunContext, StepDefinition } from './step.ts';

/** Fits a network to the dataset version and leaves the artifact in the store. */
export const trainingStep: StepDefinition<DataOutput, TrainingResult> = {
  name: 'training',
  reusable: true,
  describeInput: async (context, { dataset }) => ({
    dataset,
    train: context.run.spec.train,
    code: context.run.codeDigest,
    warmStart: (await warmStartFrom(context, dataset)) ?? null,
  }),
  execute: async (context, { dataset }) => {
    const { run, artifacts, workFolder, signal } = context;
    const { manifest } = await getDatasetVersion(context.database.orm, dataset);
    const { splits } = manifest;
    const warmStart = await warmStartFrom(context, dataset);
    const outputFile = join(workFolder, 'model.onnx');
    const { result } = await train(
      {
        manifest,
        datasetDigest: dataset,
        files: {
          train: await artifacts.fetchFile(splits.train.digest),
          validation: await artifacts.fetchFile(splits.validation.digest),
        },
        spec: run.spec.train,
        label: run.spec.label,
        pipelineFile: pipelineFile(context),
        codeDigest: run.codeDigest,
        ...(warmStart === undefined
          ? {}
          : { warmStart: { digest: warmStart, file: await artifacts.fetchFile(warmStart) } }),
        workFolder,
        outputFile,
      },
      { signal, onProgress: (progress) => context.report(describeProgress(progress)) },
    );
    const stored = await artifacts.putFile(outputFile);
    return { output: { ...result, artifact: stored.digest, bytes: stored.bytes } };
  },
};

/**
 * The artifact to begin at: the newest champion whose data end before this dataset's do. A model that has seen this day or a later one is never
 * a start, so training a day again begins where it began the first time.
 */
async function warmStartFrom({ run, database }: RunContext, dataset: string): Promise<string | undefined> {
  if (run.spec.train.warmStart === undefined) return undefined;
  const { asOf } = await getDatasetVersion(database.orm, dataset);
  const champion = await championBefore(database.orm, run.pipeline, new Date(asOf));
  return champion?.artifactDigest;
}

function pipelineFile({ run, catalog }: RunContext): string {
  const { file, codeDigest } = catalog.get(run.pipeline);
  if (codeDigest !== run.codeDigest) throw new PipelineChangedError(run.pipeline, run.id);
  return file;
}

function describeProgress(training: TrainingProgress): {
  done: number;
  message: string;
  training: TrainingProgress;
} {
  switch (training.type) {
    case 'started':
      return { done: 0, message: `${training.rows} rows on ${training.backend}`, training };
    case 'batch':
      return {
        done: training.done,
        message: `epoch ${training.epoch}, loss ${training.loss.toFixed(4)}`,
        training,
      };
    case 'epoch':
      return { done: 1, message: `epoch ${training.epoch} done, loss ${training.loss.toFixed(4)}`, training };
    case 'log':
      return { done: 0, message: training.line, training };
  }
}
