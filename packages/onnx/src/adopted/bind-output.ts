import type { FittedLabel } from '@perennial/contract';
import { outputTensors, signatureOutput } from '../decision.ts';
import { ModelRefusedError } from '../errors.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { ADOPTED_NAMES } from '../tensor-names.ts';
import { writeAdoptedDecision } from './decide.ts';
import type { ModelOutput } from './border.ts';

/** What the usual converters call the answer, by label kind; skl2onnx, onnxmltools and hummingbird among them. */
const NAMES: Record<FittedLabel['kind'], readonly string[]> = {
  binary: ['probabilities', 'probability', 'output_probability'],
  multiclass: ['probabilities', 'probability', 'output_probability'],
  regression: ['value', 'variable', 'prediction', 'predictions'],
};

/**
 * The output that holds the answer: one of a usual name, else the only one of floats.
 *
 * @throws ModelRefusedError where none can be told, or it is the sequence of maps that `ZipMap` makes
 */
export function answerOutput(outputs: readonly ModelOutput[], kind: FittedLabel['kind']): string {
  const usual = NAMES[kind].flatMap((name) => outputs.filter((output) => output.name === name));
  const floats = outputs.filter((output) => output.kind === 'floats');
  const answer = usual[0] ?? (floats.length === 1 ? floats[0] : undefined);
  const zipped = outputs.find((output) => output.kind === 'sequence or map');
  if (answer?.kind === 'sequence or map' || (answer === undefined && zipped !== undefined)) {
    throw new ModelRefusedError(
      `its output '${(answer ?? zipped)?.name}' is a sequence of maps (ZipMap); export it with zipmap=False, so that it is a tensor`,
    );
  }
  if (answer?.kind === 'floats') return answer.name;
  const found = outputs.map(({ name }) => `'${name}'`).join(', ') || 'none';
  throw new ModelRefusedError(
    `a ${kind} label needs an output of floats named ${NAMES[kind].slice(0, 2).join(' or ')}, or only one output of floats; it has ${found}`,
  );
}

/** How wide the answer is in a model's file: of a vector 1. */
export interface Answer {
  name: string;
  width: number;
}

/** Declares the artifact's outputs and writes the nodes that make them of the model's answer, with operators of opset 9. */
export function writeOutputs(
  graph: GraphBuilder,
  { label, answer, mlOpset }: { label: FittedLabel; answer: Answer; mlOpset: number },
): void {
  const floats = graph.cast(answerMatrix(graph, { label, answer }), 'float32');
  const tensors = [floats, ...writeAdoptedDecision(graph, label, { answer: floats, mlOpset })];
  outputTensors(signatureOutput(label)).forEach((border, i) => {
    graph.output(`${ADOPTED_NAMES.output}${border.name}`, { ...border, tensor: tensors[i] ?? floats });
  });
}

/** The answer as `[rows, width of the output]`. @throws ModelRefusedError where it has another width */
function answerMatrix(
  graph: GraphBuilder,
  { label, answer: { name, width } }: { label: FittedLabel; answer: Answer },
): string {
  const wanted = label.kind === 'multiclass' ? label.classes.length : 1;
  const matrix = graph.node('Reshape', [name, graph.constant(BigInt64Array.of(-1n, BigInt(width)), [2])]);
  if (width === wanted) return matrix;
  if (label.kind === 'binary' && width === 2) {
    // Of a binary classifier's two columns the second is the probability of true.
    return graph.node('Gather', [matrix, graph.constant(BigInt64Array.of(1n), [1])], {
      attributes: { axis: { int: 1 } },
    });
  }
  throw new ModelRefusedError(
    `its output '${name}' is ${width} wide; a ${label.kind} label needs ${label.kind === 'binary' ? '2 or 1' : wanted}`,
  );
}
