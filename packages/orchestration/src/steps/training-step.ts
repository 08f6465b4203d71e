import { join } from 'node:path';
import {
  CHAMPION,
  type BackendName,
  type CommandTrainSpec,
  type NetworkTrainSpec,
  type TrainingProgress,
  type TrainingResult,
} from '@perennial/contract';
import { championBefore, findAlias, getDatasetVersion } from '@perennial/storage';
import {
  train,
  trainByCommand,
  type FittedResult,
  type TrainOptions,
  type TrainingJob,
} from '@perennial/training';
import { isServedForExamination } from '@perennial/validation';
import { PipelineChangedError } from '../errors.ts';
import type { DataOutput } from './data-step.ts';
import { whenNearlyDone } from './nearly-done.ts';
import type { RunContext, StepContext, StepDefinition } from './step.ts';

export interface TrainingInput extends DataOutput {
  /** Digest of the artifact to begin at; found once, so that what is on record is what was begun at. */
  warmStart: string | null;
}

export async function trainingInput(context: RunContext, data: DataOutput): Promise<TrainingInput> {
  return { ...data, warmStart: await warmStartFrom(context, data.dataset) };
}

/** Raised when a training comes to leave more behind, or something else, so that no result of before is taken for it. */
const TRAINING_REVISION = 2;

/** Fits a model to the dataset version, by a network of the platform's or a command of the author's, and leaves the artifact in the store. */
export const trainingStep: StepDefinition<TrainingInput, TrainingResult> = {
  name: 'training',
  reusable: true,
  describeInput: async (context, { dataset, warmStart }) => ({
    revision: TRAINING_REVISION,
    dataset,
    train: context.run.spec.train,
    code: context.run.codeDigest,
    warmStart,
    // What a command does follows from programs and packages that no digest here covers, so no other run's result stands for it.
    ...(context.run.spec.train.kind === 'command' && { run: context.run.id }),
  }),
  execute: async (context, input) => {
    const { file, folder } = loadedPipeline(context);
    const output = await fitModel(await preparingServers(context), { ...input, pipeline: { file, folder } });
    return { output };
  },
};

/**
 * Has the processes that will serve candidate and champion started while the last seconds of training keep one core busy, and validation would wait for
 * them. They are fresh all the same: they get an artifact once there is one, and one only.
 */
async function preparingServers(context: StepContext): Promise<StepContext> {
  const { servers, database, run, report } = context;
  if (servers === null || !isServedForExamination(run.spec)) return context;
  const champion = await findAlias(database.orm, run.pipeline, CHAMPION);
  const nearly = whenNearlyDone(() => servers.prepare(champion === undefined ? 1 : 2));
  return {
    ...context,
    report: (progress) => {
      report(progress);
      if (progress.training?.type === 'batch') nearly(progress.done);
    },
  };
}

export interface Fitting {
  dataset: string;
  /** Digest of the artifact to begin at. */
  warmStart: string | null;
  /** Where the author's code is. */
  pipeline: { file: string; folder: string };
  /** @default the best that can be used here */
  backend?: BackendName;
}

/** Fits a model to the dataset version and puts it, and the linear baseline beside it, into the store. */
export async function fitModel(context: StepContext, fitting: Fitting): Promise<TrainingResult> {
  const { artifacts } = context;
  const assignment = await assignmentOf(context, fitting);
  const { linear, ...result } = await fitBySpec(context, assignment, fitting);
  const stored = await artifacts.putFile(assignment.outputFile);
  const baseline = linear && (await artifacts.putFile(linear.file));
  return {
    ...result,
    artifact: stored.digest,
    bytes: stored.bytes,
    linear: baseline && { artifact: baseline.digest, bytes: baseline.bytes },
  };
}

/** What is the same whoever trains. */
type Assignment = Pick<TrainingJob, 'manifest' | 'datasetDigest' | 'files' | 'outputFile' | 'warmStart'>;

async function assignmentOf(
  { artifacts, database, workFolder }: StepContext,
  { dataset, warmStart }: Fitting,
): Promise<Assignment> {
  const { manifest } = await getDatasetVersion(database.orm, dataset);
  const { train: trainSplit, validation } = manifest.splits;
  const files = {
    train: await artifacts.fetchFile(trainSplit.digest),
    validation: await artifacts.fetchFile(validation.digest),
  };
  const start = warmStart === null ? null : { digest: warmStart, file: await artifacts.fetchFile(warmStart) };
  const outputFile = join(workFolder, 'model.onnx');
  return { manifest, datasetDigest: dataset, files, outputFile, ...(start && { warmStart: start }) };
}

async function fitBySpec(
  context: StepContext,
  assignment: Assignment,
  fitting: Fitting,
): Promise<FittedResult> {
  const { train: spec } = context.run.spec;
  switch (spec.kind) {
    case 'mlp':
    case 'custom':
      return fitNetwork(context, assignment, { ...fitting, spec });
    case 'command':
      return fitByCommand(context, assignment, { ...fitting, spec });
  }
}

async function fitNetwork(
  context: StepContext,
  assignment: Assignment,
  { spec, pipeline, backend }: Fitting & { spec: NetworkTrainSpec },
): Promise<FittedResult> {
  const { run, workFolder } = context;
  const job: TrainingJob = {
    ...assignment,
    spec,
    label: run.spec.label,
    pipelineFile: pipeline.file,
    codeDigest: run.codeDigest,
    linearFile: join(workFolder, 'linear.onnx'),
    workFolder,
    ...(backend && { backend }),
  };
  return (await train(job, optionsOf(context))).result;
}

async function fitByCommand(
  context: StepContext,
  assignment: Assignment,
  { spec, pipeline }: Fitting & { spec: CommandTrainSpec },
): Promise<FittedResult> {
  const { run, workFolder } = context;
  const { window } = run.spec.data;
  const job = { ...assignment, spec, window, pipelineFolder: pipeline.folder, workFolder };
  return (await trainByCommand(job, optionsOf(context))).result;
}

function optionsOf({ signal, environment, report, trainer }: StepContext): TrainOptions {
  return {
    signal,
    environment,
    reserve: trainer ?? undefined,
    onProgress: (progress) => report(describeProgress(progress)),
  };
}

/**
 * The artifact to begin at: the newest champion whose data end before this dataset's do. A model that has seen this day or a later one is never
 * a start, so training a day again begins where it began the first time.
 */
async function warmStartFrom({ run, database }: RunContext, dataset: string): Promise<string | null> {
  const { train: spec } = run.spec;
  if (spec.kind === 'command' || spec.warmStart === undefined) return null;
  const { asOf } = await getDatasetVersion(database.orm, dataset);
  const champion = await championBefore(database.orm, run.pipeline, new Date(asOf));
  return champion?.artifactDigest ?? null;
}

/** @throws PipelineChangedError when the loaded pipeline is no longer the run's */
function loadedPipeline({ run, catalog }: RunContext): { file: string; folder: string } {
  const loaded = catalog.get(run.pipeline);
  if (loaded.codeDigest !== run.codeDigest) throw new PipelineChangedError(run.pipeline, run.id);
  return loaded;
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
