import type { Signature } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { UnusableOutputError } from '../errors.ts';

/**
 * Writes a row of a model's answer as the JSON that `formatOutput` and `JSON.stringify` would make of it.
 * @throws UnusableOutputError when a number in it is NaN or infinite
 */
export type OutputText = (batch: OutputBatch, row: number) => string;

type Multiclass = Extract<OutputBatch, { kind: 'multiclass' }>;

function numberText(value: number | undefined, field: string, row: number): string {
  if (value === undefined || !Number.isFinite(value)) throw new UnusableOutputError(field, row);
  return String(value);
}

/** Compiled once per model version: a fifth of the time of making an object and its JSON. */
export function compileOutputText(output: Signature['output']): OutputText {
  if (output.kind === 'multiclass') return compileMulticlass(output.classes);
  return (batch, row) => {
    if (batch.kind === 'binary')
      return `{"probability":${numberText(batch.probability[row], 'probability', row)},"decision":${batch.decision[row] === 1}}`;
    if (batch.kind === 'regression') return `{"value":${numberText(batch.value[row], 'value', row)}}`;
    throw new UnusableOutputError('kind', row);
  };
}

function compileMulticlass(classes: readonly string[]): OutputText {
  // In the order that properties of an object have: JSON.stringify puts names that are whole numbers first.
  const fields = Object.entries(Object.fromEntries(classes.map((name, i) => [name, i]))).map(
    ([name, index]) => ({ start: `${JSON.stringify(name)}:`, index }),
  );
  return (batch, row) => {
    const { probabilities, decision } = batch as Multiclass;
    const first = row * classes.length;
    const texts = fields.map(
      ({ start, index }) => start + numberText(probabilities[first + index], 'probability', row),
    );
    const chosen = decision[row];
    if (chosen === undefined) throw new UnusableOutputError('decision', row);
    return `{"probabilities":{${texts.join(',')}},"decision":${JSON.stringify(chosen)}}`;
  };
}
