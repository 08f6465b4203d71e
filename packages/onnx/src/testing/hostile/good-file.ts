import type { Signature } from '@perennial/contract';
import type { GraphProto, ModelProto } from '../../generated/onnx-ml_pb.ts';
import { foreignModel, value, writeLogistic, type ForeignModel } from '../foreign-models.ts';

/** Rows that the good file answers. */
export const GOOD_SAMPLE: Record<string, unknown>[] = [
  { amount: 1, visits: 2 },
  { amount: -0.5, visits: 0.25 },
  { amount: 3, visits: -1 },
];

/** What the good file answers, which it does not say itself. */
export const GOOD_OUTPUT: Signature['output'] = { kind: 'binary', threshold: 0.5 };

/** A sound classifier, as another program would write it, of which one thing can be changed. */
export function goodFile(
  change: (model: ModelProto, graph: GraphProto) => void = () => undefined,
  parts: Partial<ForeignModel> = {},
): Uint8Array {
  return foreignModel({
    inputs: [value('X', 'float32', [null, 2])],
    outputs: [value('probabilities', 'float32', [null, 2])],
    write: (graph) => writeLogistic(graph, { input: 'X', weights: [1, 2], output: 'probabilities' }),
    change: (model) => {
      if (model.graph !== undefined) change(model, model.graph);
    },
    ...parts,
  });
}
