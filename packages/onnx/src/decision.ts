import type { FittedLabel, Signature } from '@perennial/contract';
import { ArtifactInvalidError } from './errors.ts';
import { ML_DOMAIN, type BorderTensor, type GraphBuilder } from './graph-builder.ts';
import { DECISION_OUTPUT, PROBABILITIES_OUTPUT, PROBABILITY_OUTPUT, VALUE_OUTPUT } from './tensor-names.ts';

/** The outputs that an artifact of this signature has, in order. */
export function outputTensors(output: Signature['output']): BorderTensor[] {
  switch (output.kind) {
    case 'binary':
      return [
        { name: PROBABILITY_OUTPUT, type: 'float32', width: 1 },
        { name: DECISION_OUTPUT, type: 'bool', width: 1 },
      ];
    case 'multiclass':
      return [
        { name: PROBABILITIES_OUTPUT, type: 'float32', width: output.classes.length },
        { name: DECISION_OUTPUT, type: 'string', width: 1 },
      ];
    case 'regression':
      return [{ name: VALUE_OUTPUT, type: 'float32', width: 1 }];
  }
}

/** The output part of the signature of an artifact with this label. */
export function signatureOutput(label: FittedLabel): Signature['output'] {
  switch (label.kind) {
    case 'binary':
      return { kind: 'binary', threshold: label.threshold };
    case 'multiclass':
      return { kind: 'multiclass', classes: label.classes };
    case 'regression':
      return { kind: 'regression' };
  }
}

/** Writes what turns a network's output into the artifact's outputs. */
export function writeDecision(
  graph: GraphBuilder,
  label: FittedLabel,
  network: { tensor: string; width: number },
): void {
  const width = label.kind === 'multiclass' ? label.classes.length : 1;
  if (network.width !== width) {
    throw new ArtifactInvalidError(
      `a ${label.kind} label needs a network whose output is ${width} wide, not ${network.width}`,
    );
  }
  const tensors = decisionTensors(graph, label, network.tensor);
  outputTensors(signatureOutput(label)).forEach((output, i) => {
    graph.output(output.name, { ...output, tensor: tensors[i] ?? network.tensor });
  });
}

/** The tensors of {@link outputTensors}, in the same order. */
function decisionTensors(graph: GraphBuilder, label: FittedLabel, output: string): string[] {
  switch (label.kind) {
    case 'binary':
      return [output, graph.node('GreaterOrEqual', [output, writeThreshold(graph, label.threshold)])];
    case 'multiclass':
      return [output, writeClass(graph, label.classes, output)];
    case 'regression': {
      const scaled = graph.node('Mul', [graph.cast(output, 'float64'), graph.scalar(label.scale)]);
      return [graph.cast(graph.node('Add', [scaled, graph.scalar(label.center)]), 'float32')];
    }
  }
}

/** The text of the most probable class; of equally probable ones the first. */
function writeClass(graph: GraphBuilder, classes: readonly string[], probabilities: string): string {
  const index = writeMostProbable(graph, probabilities);
  return graph.node('LabelEncoder', [index], {
    domain: ML_DOMAIN,
    attributes: {
      keys_int64s: { ints: classes.map((_, i) => i) },
      values_strings: { strings: [...classes] },
    },
  });
}

/** The position of the highest probability, int64 `[rows, 1]`; of equally high ones the first. */
export function writeMostProbable(graph: GraphBuilder, probabilities: string): string {
  return graph.node('ArgMax', [probabilities], { attributes: { axis: { int: 1 }, keepdims: { int: 1 } } });
}

/**
 * The least float32 that is not below the threshold: no float32 lies between the two, so comparing with it says exactly what
 * `probability >= threshold` says in JavaScript. The nearest float32 to 0.7 is below 0.7, and would call itself true.
 */
function writeThreshold(graph: GraphBuilder, threshold: number): string {
  return graph.constant(Float32Array.of(float32AtLeast(threshold)), []);
}

/** The least float32 that is not below a number. */
export function float32AtLeast(value: number): number {
  const nearest = Math.fround(value);
  if (nearest >= value) return nearest;
  const bits = new Int32Array(Float32Array.of(nearest).buffer);
  // Neighbouring floats have neighbouring bit patterns: further from zero above it, closer to zero below it.
  bits[0] = (bits[0] ?? 0) + (nearest >= 0 ? 1 : -1);
  return new Float32Array(bits.buffer)[0] ?? value;
}
