import { ModelRefusedError } from '../errors.ts';
import { checkFunctions } from './check-functions.ts';
import { checkGraph } from './check-graph.ts';
import { checkOperators, visitNodes } from './check-operators.ts';
import { checkSparse, checkTensor } from './check-tensors.ts';
import { otherFileKind } from './file-kinds.ts';
import { INSPECTION_LIMITS, type InspectionLimits } from './limits.ts';
import { refuseLookAlikes } from './names.ts';
import type { GraphOutline, ModelOutline } from './outline.ts';
import { readModel } from './read-model.ts';

/**
 * Looks at a file from elsewhere without loading it: what it is made of, and whether it is one that may be loaded at all. It reads nothing but the bytes it is given, and takes
 * memory that the limits bound, so that it can be done in the platform's own process. What the file does when it runs, only {@link tryModel} tells.
 *
 * @throws ModelRefusedError saying what is wrong with the file
 */
export function inspectModel(bytes: Uint8Array, limits: InspectionLimits = INSPECTION_LIMITS): ModelOutline {
  if (bytes.length === 0) throw new ModelRefusedError('it is empty');
  if (bytes.length > limits.bytes)
    throw new ModelRefusedError(`it has ${bytes.length} bytes; at most ${limits.bytes} are taken`);
  const other = otherFileKind(bytes);
  if (other !== undefined) throw new ModelRefusedError(other);
  const model = readModel(bytes, limits);
  if (model.graph.nodes.length === 0) throw new ModelRefusedError('its graph has no nodes');
  if (model.hasTraining) throw new ModelRefusedError('it holds graphs for training; export it for inference');
  checkOperators(model);
  checkFunctions(model, limits);
  checkBorder(model.graph, limits);
  checkContents(model.graph, limits);
  checkGraph(model.graph, limits);
  for (const { nodes, inputs, outputs } of model.functions) {
    checkContents({ nodes }, limits);
    const named = (names: string[]) => names.map((name) => ({ name, type: { kind: 'unknown' as const } }));
    checkGraph({ nodes, inputs: named(inputs), outputs: named(outputs) }, limits);
  }
  return model;
}

function checkBorder({ inputs, outputs, initializers }: GraphOutline, limits: InspectionLimits): void {
  const weights = new Set(initializers.map(({ name }) => name));
  const fed = inputs.filter(({ name }) => !weights.has(name));
  for (const [what, values] of [
    ['inputs', fed],
    ['outputs', outputs],
  ] as const) {
    if (values.length === 0) throw new ModelRefusedError(`it has no ${what}`);
    if (values.length > limits.border)
      throw new ModelRefusedError(`it has ${values.length} ${what}; at most ${limits.border} are taken`);
    refuseLookAlikes(
      values.map(({ name }) => name),
      what,
    );
  }
}

function checkContents(
  graph: Pick<GraphOutline, 'nodes'> & Partial<GraphOutline>,
  limits: InspectionLimits,
): void {
  const check = ({ initializers, sparse }: Partial<GraphOutline>) => {
    for (const tensor of initializers ?? []) checkTensor(tensor, limits);
    for (const tensor of sparse ?? []) checkSparse(tensor, limits);
  };
  check(graph);
  visitNodes(graph, ({ graphs, tensors, sparse }) => {
    check({ initializers: tensors, sparse });
    graphs.forEach(check);
  });
}
