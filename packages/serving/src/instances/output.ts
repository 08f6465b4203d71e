import type { PredictionOutput } from '@perennial/contract';
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
