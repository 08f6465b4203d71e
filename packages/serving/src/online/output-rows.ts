import type { OutputBatch } from '@perennial/onnx';
import { UnusableOutputError } from '../errors.ts';

/** Rows of a model's answer, from `offset` on; they share its memory. */
export function sliceOutput(output: OutputBatch, offset: number, rows: number): OutputBatch {
  const end = offset + rows;
  switch (output.kind) {
    case 'binary':
      return {
        kind: 'binary',
        probability: output.probability.subarray(offset, end),
        decision: output.decision.subarray(offset, end),
      };
    case 'multiclass': {
      const width = output.classes.length;
      return {
        ...output,
        probabilities: output.probabilities.subarray(offset * width, end * width),
        decision: output.decision.slice(offset, end),
      };
    }
    case 'regression':
      return { kind: 'regression', value: output.value.subarray(offset, end) };
  }
}

/** Answers of the same model, one after another. */
export function joinOutputs(outputs: readonly OutputBatch[]): OutputBatch {
  const [first] = outputs;
  if (first === undefined) throw new RangeError('There is no output to join.');
  if (outputs.length === 1) return first;
  switch (first.kind) {
    case 'binary': {
      const parts = outputs as (typeof first)[];
      return {
        kind: 'binary',
        probability: joinFloats(parts.map((part) => part.probability)),
        decision: new Uint8Array(Buffer.concat(parts.map((part) => part.decision))),
      };
    }
    case 'multiclass': {
      const parts = outputs as (typeof first)[];
      return {
        ...first,
        probabilities: joinFloats(parts.map((part) => part.probabilities)),
        decision: parts.flatMap((part) => part.decision),
      };
    }
    case 'regression':
      return {
        kind: 'regression',
        value: joinFloats((outputs as (typeof first)[]).map((part) => part.value)),
      };
  }
}

function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** @throws UnusableOutputError when a number of the answer is NaN or infinite: neither is put on record, and JSON has neither */
export function checkFinite(output: OutputBatch): void {
  switch (output.kind) {
    case 'binary':
      return checkNumbers(output.probability, 'probability', 1);
    case 'multiclass':
      return checkNumbers(output.probabilities, 'probability', output.classes.length);
    case 'regression':
      return checkNumbers(output.value, 'value', 1);
  }
}

function checkNumbers(numbers: Float32Array, field: string, width: number): void {
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) throw new UnusableOutputError(field, Math.floor(i / width));
  }
}
