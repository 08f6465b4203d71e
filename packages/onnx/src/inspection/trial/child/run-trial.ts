import { adoptModel } from '../../../adopted/adopt-model.ts';
import type { ColumnBatch, OutputBatch } from '../../../batch.ts';
import { ArtifactInvalidError, InferenceFailedError, ModelRefusedError } from '../../../errors.ts';
import { InferenceModel } from '../../../inference-model.ts';
import { readSignature } from '../../../signature.ts';
import type { Trial, TriedModel } from '../trial.ts';
import { checkAlone, checkAnswers, checkSame, rowOf } from './check-answers.ts';
import { stripZipMaps } from './strip-zip-maps.ts';

/** Rows that are answered alone as well. */
const ROWS_ALONE = 10;

/**
 * Loads and runs a file on this thread: for a process that may end with it.
 *
 * @throws ModelRefusedError where it cannot be loaded, cannot answer the sample, or answers what cannot be served
 */
export async function runTrial({ bytes, adopt, sample }: Trial): Promise<TriedModel> {
  const adopted =
    adopt === null
      ? { bytes, signature: readSignature(bytes), operators: [] }
      : await adoptModel({ bytes: stripZipMaps(bytes), ...adopt });
  const model = await InferenceModel.load(adopted.bytes).catch(refuse);
  try {
    return { ...adopted, answers: await answer(model, sample) };
  } finally {
    await model.release();
  }
}

async function answer(model: InferenceModel, sample: ColumnBatch): Promise<OutputBatch> {
  const answers = await model.run(sample).catch(refuse);
  checkAnswers(sample, answers);
  checkSame(answers, await model.run(sample).catch(refuse));
  for (let row = 0; row < Math.min(sample.rows, ROWS_ALONE); row += 1)
    checkAlone(row, answers, await model.run(rowOf(sample, row)).catch(refuse));
  return answers;
}

/** ONNX Runtime's own words, which name the operator: the author of the model needs them. */
function refuse(error: unknown): never {
  if (!(error instanceof InferenceFailedError || error instanceof ArtifactInvalidError)) throw error;
  const words = error.cause instanceof Error ? `${error.reason}: ${error.cause.message}` : error.reason;
  throw new ModelRefusedError(`it does not run (${words.slice(0, 500)})`, { cause: error });
}
