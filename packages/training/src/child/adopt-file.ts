import { lstat, readFile } from 'node:fs/promises';
import { readSplit } from '@perennial/data/splits';
import { InferenceModel, ModelRefusedError, adoptModel, type OutputBatch } from '@perennial/onnx';
import { MAX_MODEL_BYTES } from '../command/job-description.ts';
import type { AdoptionTask } from '../command/job.ts';
import { TrainingFailedError } from '../errors.ts';
import { writeWhole } from '../write-whole.ts';

/** Rows of the validation split that the artifact has to answer. */
const TRIED_ROWS = 1_000;

/**
 * Makes an artifact of the model that a command left, and tries it on real rows.
 *
 * @returns the model's operators
 * @throws TrainingFailedError when there is no model, or none that can be one by its size
 * @throws ModelRefusedError, InferenceFailedError when it does not fit or does not run
 */
export async function adoptFile(task: AdoptionTask): Promise<string[]> {
  const { manifest } = task;
  const { columns } = manifest.encoder;
  const adopted = await adoptModel({
    bytes: await modelBytes(task.modelFile),
    columns,
    label: manifest.label,
  });
  await tryOut(adopted.bytes, task);
  await writeWhole(task.outputFile, adopted.bytes);
  return adopted.operators;
}

async function modelBytes(file: string): Promise<Uint8Array> {
  const expected =
    "it is expected to write an ONNX model to the path that 'output.model' of the JSON file named by PERENNIAL_JOB gives";
  // Not `stat`: what a link points to is not what the command made.
  const found = await lstat(file).catch((cause: unknown) => {
    throw new TrainingFailedError(`the command left no model.onnx; ${expected}.`, {}, { cause });
  });
  if (!found.isFile() || found.size === 0) {
    const what = found.isFile() ? 'is empty' : 'is no file';
    throw new TrainingFailedError(`the model.onnx that the command left ${what}; ${expected}.`);
  }
  if (found.size > MAX_MODEL_BYTES) {
    throw new TrainingFailedError(
      `the model.onnx that the command left has ${found.size} bytes; at most ${MAX_MODEL_BYTES} are taken.`,
    );
  }
  return readFile(file);
}

async function tryOut(bytes: Uint8Array, { validationFile, manifest }: AdoptionTask): Promise<void> {
  const model = await InferenceModel.load(bytes);
  try {
    for await (const { batch } of readSplit({ file: validationFile, manifest, batchRows: TRIED_ROWS })) {
      refuseScores(await model.run(batch));
      return;
    }
  } finally {
    await model.release();
  }
}

/** How far from 0 to 1 a probability may be by rounding. */
const ROUNDING = 1e-3;

/** @throws ModelRefusedError where a classifier answers with scores: the usual slip of an export, and the gate's word for it would be obscure */
function refuseScores(output: OutputBatch): void {
  if (output.kind === 'regression') return;
  const answers = output.kind === 'binary' ? output.probability : output.probabilities;
  const score = answers.find((answer) => answer < -ROUNDING || answer > 1 + ROUNDING);
  if (score === undefined) return;
  throw new ModelRefusedError(
    `it answers ${score}, which is no probability; the model must end in a sigmoid or softmax`,
  );
}
