import type { PredictionOutput, Signature } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { UnusableOutputError } from '../errors.ts';

type MulticlassBatch = Extract<OutputBatch, { kind: 'multiclass' }>;

function finite(value: number | undefined, field: string, row: number): number {
  if (value === undefined || !Number.isFinite(value)) throw new UnusableOutputError(field, row);
  return value;
}

function formatMulticlass(batch: MulticlassBatch, row: number): PredictionOutput {
  const start = row * batch.classes.length;
  const probabilities = batch.classes.map((name, i): [string, number] => [
    name,
    finite(batch.probabilities[start + i], 'probability', row),
  ]);
  const decision = batch.decision[row];
  if (decision === undefined) throw new UnusableOutputError('decision', row);
  // fromEntries defines properties where assignment would call the setter of a class named `__proto__`.
  return { probabilities: Object.fromEntries(probabilities), decision };
}

/**
 * One row of a model's answer as it is given out.
 * @throws UnusableOutputError when a number in it is NaN or infinite, which JSON would turn into null
 */
export function formatOutput(batch: OutputBatch, row: number): PredictionOutput {
  switch (batch.kind) {
    case 'binary':
      return {
        probability: finite(batch.probability[row], 'probability', row),
        decision: batch.decision[row] === 1,
      };
    case 'multiclass':
      return formatMulticlass(batch, row);
    case 'regression':
      return { value: finite(batch.value[row], 'value', row) };
  }
}

/** Rows as they were given out, as the model answered them: the way back from {@link formatOutput}, of answers of one version with that signature. */
export function gatherOutputs(
  rows: readonly PredictionOutput[],
  { output }: Pick<Signature, 'output'>,
): OutputBatch {
  switch (output.kind) {
    case 'binary': {
      const answers = rows as readonly { probability: number; decision: boolean }[];
      return {
        kind: 'binary',
        probability: Float32Array.from(answers, ({ probability }) => probability),
        decision: Uint8Array.from(answers, ({ decision }) => Number(decision)),
      };
    }
    case 'multiclass': {
      const answers = rows as readonly { probabilities: Record<string, number>; decision: string }[];
      const { classes } = output;
      return {
        kind: 'multiclass',
        classes,
        probabilities: Float32Array.from(
          answers.flatMap(({ probabilities }) => classes.map((name) => probabilities[name] as number)),
        ),
        decision: answers.map(({ decision }) => decision),
      };
    }
    case 'regression': {
      const answers = rows as readonly { value: number }[];
      return { kind: 'regression', value: Float32Array.from(answers, ({ value }) => value) };
    }
  }
}
