import type { GraphProto, NodeProto } from '../generated/onnx-ml_pb.ts';
import { Constants, sizeOf } from './constants.ts';

/** Work on each element by itself, whose shape is that of all inputs together. */
const ELEMENTWISE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Max', 'Min', 'Where'],
  ...['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'And', 'Or'],
]);

/** Give what has the shape of their first input. */
const UNARY = new Set([
  ...['Abs', 'Cast', 'Clip', 'Identity', 'IsNaN', 'LabelEncoder', 'Log', 'Not', 'Relu', 'Sigmoid', 'Sign'],
  ...['Softmax', 'Tanh', 'Transpose', 'Concat'],
]);

const FLAT = new Set(['Gemm', 'Flatten']);

/**
 * Gives a constant of one number as many dimensions as what it is reckoned with. Beside `[rows, 1]` the runtime goes through the rows one by one for a number of fewer dimensions, in 17 ns each,
 * and through all at once for `[1, 1]`, in 1 ns; the answers are the same.
 */
export function widenScalars(graph: GraphProto): void {
  const constants = new Constants(graph);
  const ranks = new Map<string, number>();
  for (const name of constants.names) ranks.set(name, constants.shape(name)?.length ?? 0);
  for (const { name, type } of graph.input) {
    const { value } = type ?? {};
    if (value?.case === 'tensorType' && value.value.shape) ranks.set(name, value.value.shape.dim.length);
  }
  for (const node of graph.node) {
    const rank = rankOf(node, ranks);
    if (rank === undefined) continue;
    for (const name of node.output) ranks.set(name, rank);
    if (rank < 2 || !ELEMENTWISE.has(node.opType)) continue;
    node.input = node.input.map((name) => {
      const shape = constants.shape(name);
      const isNarrow = shape !== undefined && shape.length < rank && sizeOf(shape) === 1;
      return isNarrow ? constants.reshaped(name, Array<number>(rank).fill(1)) : name;
    });
  }
}

/** How many dimensions a node's answer has; undefined where that cannot be told. */
function rankOf(
  { opType, input, attribute }: NodeProto,
  ranks: ReadonlyMap<string, number>,
): number | undefined {
  if (FLAT.has(opType)) return 2;
  const [first, second] = input.map((name) => ranks.get(name));
  if (UNARY.has(opType)) return first;
  if (opType === 'Gather' && attribute.every(({ i }) => i === 0n))
    return first === undefined || second === undefined ? undefined : first + second - 1;
  if (!ELEMENTWISE.has(opType)) return undefined;
  const known = input.map((name) => ranks.get(name));
  return known.every((rank) => rank !== undefined) ? Math.max(...known) : undefined;
}
