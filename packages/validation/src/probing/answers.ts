import type { OutputBatch } from '@perennial/onnx';

/** The numbers of an output, row-major: one a row, or of many classes one for each. */
export interface Answers {
  width: number;
  values: Float32Array;
}

export function answersOf(output: OutputBatch): Answers {
  switch (output.kind) {
    case 'binary':
      return { width: 1, values: output.probability };
    case 'multiclass':
      return { width: output.classes.length, values: output.probabilities };
    case 'regression':
      return { width: 1, values: output.value };
  }
}

/** Whether a number can be an answer of its kind: a probability in [0, 1], or any finite value. */
export function isAnswer(value: number, kind: OutputBatch['kind']): boolean {
  return kind === 'regression' ? Number.isFinite(value) : value >= 0 && value <= 1;
}
