import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { commandJobSchema, durationMilliseconds } from '@perennial/contract';
import { TrainingFailedError } from '../errors.ts';
import { hardware } from '../hardware.ts';
import type { Report } from '../job.ts';
import { commandEnvironment, trainingEnvironment } from '../process-environment.ts';
import type { TrainOptions, TrainingOutcome } from '../train.ts';
import { runInProcess } from '../training-process.ts';
import { JOB_VARIABLE, describeJob } from './job-description.ts';
import type { CommandTrainingJob } from './job.ts';

/** What a model that a command left may take while it is loaded and run for the first time. */
export interface AdoptionLimits {
  /** @default 300_000 */
  milliseconds: number;
  /** Of resident memory. @default 4 GiB */
  bytes: number;
}

const ADOPTION_LIMITS: AdoptionLimits = { milliseconds: 300_000, bytes: 4 * 1024 ** 3 };

/** The process that runs the command stops it after its timeout; this is for when that process does not. */
const KEEPER_MARGIN = 30_000;

export interface CommandTrainOptions extends TrainOptions {
  adoption?: Partial<AdoptionLimits>;
}

/**
 * Trains by a program of the author's: describes the job in a JSON file that `PERENNIAL_JOB` names (its schema is the contract's
 * `commandJobSchema`), runs the program in the pipeline's folder, without a shell and with few variables, and makes an artifact of the
 * `model.onnx` that it leaves. The model is loaded for the first time in a process with limits of memory (where `/proc` tells it) and time.
 *
 * @throws TrainingFailedError when the command fails, takes longer than `spec.timeout` or leaves no model
 * @throws ReportedError of code `artifact-invalid` when the model does not fit the pipeline or does not run, saying what would
 * @throws the signal's reason when it is aborted; the command and all that it started are gone then
 */
export async function trainByCommand(
  job: CommandTrainingJob,
  options: CommandTrainOptions = {},
): Promise<TrainingOutcome> {
  const started = performance.now();
  // A folder of its own, made anew: what an earlier try left must not pass for this one's.
  const folder = resolve(job.workFolder, 'command');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const modelFile = join(folder, 'model.onnx');
  await runCommand(job, { folder, modelFile }, options);
  const { operators } = await adopt(job, modelFile, options);
  const seconds = (performance.now() - started) / 1000;
  return { result: resultOf(job, { operators, seconds }), outputFile: job.outputFile };
}

async function runCommand(
  job: CommandTrainingJob,
  { folder, modelFile }: { folder: string; modelFile: string },
  { environment = {}, signal, onProgress }: TrainOptions,
): Promise<void> {
  const jobFile = join(folder, 'job.json');
  const files = await named(job.files, folder);
  const description = commandJobSchema.parse(describeJob({ ...job, files }, modelFile));
  await writeFile(jobFile, JSON.stringify(description, null, 2));
  const timeout = durationMilliseconds(job.spec.timeout);
  const task = {
    argv: job.spec.command,
    folder: job.pipelineFolder,
    environment: {
      ...commandEnvironment(environment, job.spec.environment),
      [JOB_VARIABLE]: jobFile,
    },
    timeout,
  };
  const last = await runInProcess(
    { kind: 'command', task },
    {
      folder,
      environment: trainingEnvironment(environment),
      timeout: timeout + KEEPER_MARGIN,
      signal,
      onProgress,
      stop: 'gently',
    },
  );
  expectKind(last, 'command-ended');
}

/** The splits under names that say what they are: many a reader goes by the ending, and artifacts are named by their digest. */
async function named(
  files: CommandTrainingJob['files'],
  folder: string,
): Promise<CommandTrainingJob['files']> {
  const names = { train: join(folder, 'train.parquet'), validation: join(folder, 'validation.parquet') };
  await symlink(resolve(files.train), names.train);
  await symlink(resolve(files.validation), names.validation);
  return names;
}

async function adopt(
  job: CommandTrainingJob,
  modelFile: string,
  { environment = {}, signal, onProgress, adoption }: CommandTrainOptions,
): Promise<Extract<Report, { kind: 'adopted' }>> {
  const limits = { ...ADOPTION_LIMITS, ...adoption };
  const { manifest, files, outputFile } = job;
  const last = await runInProcess(
    { kind: 'adopt', task: { modelFile, outputFile, manifest, validationFile: files.validation } },
    {
      folder: job.workFolder,
      environment: trainingEnvironment(environment),
      timeout: limits.milliseconds,
      memoryLimit: limits.bytes,
      signal,
      onProgress,
    },
  );
  return expectKind(last, 'adopted');
}

function expectKind<Kind extends Report['kind']>(
  report: Report,
  kind: Kind,
): Extract<Report, { kind: Kind }> {
  if (report.kind === kind) return report as Extract<Report, { kind: Kind }>;
  throw new TrainingFailedError(`its process answered '${report.kind}'.`);
}

function resultOf(
  { spec }: CommandTrainingJob,
  { operators, seconds }: { operators: string[]; seconds: number },
): TrainingOutcome['result'] {
  return {
    backend: 'command',
    device: "the command's choice",
    seed: spec.seed,
    parameters: null,
    architecture: operators,
    epochs: [],
    warmStart: { note: 'not applicable: a command begins where it chooses' },
    parity: null,
    calibration: null,
    linear: null,
    hardware: hardware(),
    seconds,
  };
}
