import type { PredictionOutput } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';

/** Farthest that a served answer may be from the evaluated one: float32 sums differ in the last digits with the number of rows computed at once. */
export const LARGEST_DISTANCE = 1e-6;

/**
 * How far a served answer is from the evaluated one: of probabilities their largest difference, of a value the difference by its size where that is above
 * 1. Infinite where it is of another kind, or decides otherwise than the numbers explain.
 */
export function answerDistance(
  served: PredictionOutput,
  evaluated: OutputBatch,
  { row, threshold }: { row: number; threshold: number },
): number {
  switch (evaluated.kind) {
    case 'binary':
      if (!('probability' in served)) return Infinity;
      return binaryDistance(served, {
        probability: evaluated.probability[row]!,
        decision: evaluated.decision[row] === 1,
        threshold,
      });
    case 'multiclass':
      return 'probabilities' in served ? multiclassDistance(served, evaluated, row) : Infinity;
    case 'regression': {
      if (!('value' in served)) return Infinity;
      const value = evaluated.value[row]!;
      return Math.abs(served.value - value) / Math.max(1, Math.abs(value));
    }
  }
}

function binaryDistance(
  served: { probability: number; decision: boolean },
  evaluated: { probability: number; decision: boolean; threshold: number },
): number {
  const { probability, decision, threshold } = evaluated;
  // At the threshold a last digit decides.
  const explained = Math.abs(probability - threshold) <= LARGEST_DISTANCE;
  if (served.decision !== decision && !explained) return Infinity;
  return Math.abs(served.probability - probability);
}

function multiclassDistance(
  served: { probabilities: Record<string, number>; decision: string },
  { classes, probabilities, decision }: Extract<OutputBatch, { kind: 'multiclass' }>,
  row: number,
): number {
  const given = (name: string) => probabilities[row * classes.length + classes.indexOf(name)] ?? NaN;
  const lead = given(decision[row]!) - given(served.decision);
  if (!(lead <= LARGEST_DISTANCE)) return Infinity;
  return classes.reduce((largest, name) => {
    const distance = Math.abs((served.probabilities[name] ?? Infinity) - given(name));
    return Math.max(largest, distance);
  }, 0);
}
