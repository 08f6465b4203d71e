import type { FittedLabel } from '@perennial/contract';
import { float32AtLeast, writeMostProbable } from '../decision.ts';
import { ML_DOMAIN, type GraphBuilder } from '../graph-builder.ts';

/**
 * Writes the decision on an answer with operators that a model of any age can hold: the ones of our own artifacts came later. A regression
 * has none: its answer is in the label's units already.
 */
export function writeAdoptedDecision(
  graph: GraphBuilder,
  label: FittedLabel,
  { answer, mlOpset }: { answer: string; mlOpset: number },
): string[] {
  switch (label.kind) {
    case 'binary': {
      const below = graph.constant(Float32Array.of(float32Before(label.threshold)), []);
      return [graph.node('Greater', [answer, below])];
    }
    case 'multiclass': {
      const index = writeMostProbable(graph, answer);
      return [
        graph.node('LabelEncoder', [index], {
          domain: ML_DOMAIN,
          attributes: toClasses(label.classes, mlOpset),
        }),
      ];
    }
    case 'regression':
      return [];
  }
}

/** The first version of LabelEncoder knows a list of classes, the later ones keys and values. */
function toClasses(classes: readonly string[], mlOpset: number) {
  if (mlOpset < 2) return { classes_strings: { strings: [...classes] } };
  return {
    keys_int64s: { ints: classes.map((_, i) => i) },
    values_strings: { strings: [...classes] },
  };
}

/**
 * The greatest float32 below a number between 0 and 1: to be above it is to be at or above the number, and Greater is older than
 * GreaterOrEqual.
 */
function float32Before(value: number): number {
  const bits = new Int32Array(Float32Array.of(float32AtLeast(value)).buffer);
  // Neighbouring positive floats have neighbouring bit patterns.
  bits[0] = (bits[0] ?? 1) - 1;
  return new Float32Array(bits.buffer)[0] ?? value;
}
