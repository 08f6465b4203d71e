import { create } from '@bufbuild/protobuf';
import {
  NodeProtoSchema,
  TensorProto_DataType,
  type GraphProto,
  type NodeProto,
} from '../generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX, attribute, tensorInfo, tensorProto } from '../graph-builder.ts';
import { takeConcats } from '../packed-numbers.ts';
import { Constants, sizeOf } from './constants.ts';
import { namesRead, namesUsed } from './names-used.ts';

/** Name of the one input that stands for all of numbers, column after column. */
export const PLANAR_INPUT = `${RESERVED_PREFIX}planar`;

/** Exact on each element by itself, wherever it lies. The runtime's Log is not: of a tensor's last elements it may differ in the last bit. */
const EXACT = new Set([
  ...['IsNaN', 'Where', 'Max', 'Min', 'Abs', 'Sign', 'Add', 'Sub', 'Mul', 'Div', 'Clip', 'Cast', 'Not'],
]);

/** Columns that a tensor of `[rows, width]` has as `[width, rows]`. */
interface Planar {
  tensor: string;
  width: number;
}

/**
 * Replaces a graph's inputs of numbers, float64 `[rows, 1]` each, by one, `[columns, rows]`, and reckons with columns that the model lays side by side while they still lie one after another:
 * nothing is moved, and a column's own constants are one number for all of its rows. Of 390 ns that a row of twenty numbers took, 56 went into moving and 80 into constants that change with
 * every element. Everything behind that is as it was.
 */
export function planarNumbers(graph: GraphProto, inputs: readonly string[]): void {
  const groups = takeConcats(graph, new Set(inputs));
  graph.input = [
    tensorInfo(PLANAR_INPUT, TensorProto_DataType.DOUBLE, [inputs.length, 'rows']),
    ...graph.input.filter(({ name }) => !inputs.includes(name)),
  ];
  const front: NodeProto[] = [];
  const planar = new Map<string, Planar>();
  for (const { inputs: members, tensor } of groups) {
    planar.set(tensor, { tensor: pick(graph, front, { inputs, members, tensor }), width: members.length });
  }
  const exact = new Map([...planar].filter(([tensor]) => !reachesLog(graph, tensor)));
  const body = reckonPlanar(graph, exact);
  const used = namesUsed(graph);
  for (const [tensor, { tensor: from }] of planar) if (used.has(tensor)) front.push(turn(from, tensor));
  for (const input of inputs) {
    if (!used.has(input)) continue;
    const row = pick(graph, front, { inputs, members: [input], tensor: input });
    front.push(turn(row, input));
  }
  graph.node = [...front, ...body];
}

/** Takes columns out of the input, in their order; gives the tensor that holds them. */
function pick(
  graph: GraphProto,
  front: NodeProto[],
  { inputs, members, tensor }: { inputs: readonly string[]; members: readonly string[]; tensor: string },
): string {
  if (members.length === inputs.length && members.every((member, i) => member === inputs[i]))
    return PLANAR_INPUT;
  const name = `${RESERVED_PREFIX}columns/${tensor}`;
  const output = planarName(tensor);
  graph.initializer.push(
    tensorProto(name, {
      data: BigInt64Array.from(members, (member) => BigInt(inputs.indexOf(member))),
      shape: [members.length],
    }),
  );
  front.push(
    create(NodeProtoSchema, {
      opType: 'Gather',
      name: output,
      input: [PLANAR_INPUT, name],
      output: [output],
    }),
  );
  return output;
}

const planarName = (tensor: string): string => `${RESERVED_PREFIX}planar/${tensor}`;

function turn(from: string, to: string): NodeProto {
  const perm = attribute('perm', { ints: [1, 0] });
  const name = `${planarName(to)}/turn`;
  return create(NodeProtoSchema, {
    opType: 'Transpose',
    name,
    input: [from],
    output: [to],
    attribute: [perm],
  });
}

/** Whether the elements of a tensor come into a logarithm by nothing but exact steps. */
function reachesLog(graph: GraphProto, tensor: string): boolean {
  const reached = new Set([tensor]);
  for (const { opType, input, output } of graph.node) {
    if (!input.some((name) => reached.has(name))) continue;
    if (opType === 'Log') return true;
    if (EXACT.has(opType)) for (const name of output) reached.add(name);
  }
  return false;
}

/** The graph's nodes, those that can be reckoned column by column so; what others need of them is turned. */
function reckonPlanar(graph: GraphProto, planar: Map<string, Planar>): NodeProto[] {
  const constants = new Constants(graph);
  const made = new Map<NodeProto, string>();
  for (const node of graph.node) {
    const [output] = node.output;
    const inputs = planarInputs(node, planar, constants);
    if (output === undefined || inputs === undefined) continue;
    planar.set(output, { tensor: planarName(output), width: inputs.width });
    node.input = inputs.names;
    node.output = [planarName(output)];
    made.set(node, output);
  }
  const others = graph.node.filter((node) => !made.has(node));
  const used = namesRead(others, new Set(graph.output.map(({ name }) => name)));
  return graph.node.flatMap((node) => {
    const output = made.get(node);
    return output !== undefined && used.has(output) ? [node, turn(planarName(output), output)] : [node];
  });
}

/** What a node reads when it reckons column by column; undefined where it cannot. */
function planarInputs(
  { opType, domain, input, output }: NodeProto,
  planar: ReadonlyMap<string, Planar>,
  constants: Constants,
): { names: string[]; width: number } | undefined {
  if (!EXACT.has(opType) || domain !== '' || output.length !== 1) return undefined;
  const width = input.map((name) => planar.get(name)?.width).find((found) => found !== undefined);
  if (width === undefined) return undefined;
  const names = input.map((name) => {
    const known = planar.get(name);
    if (known !== undefined) return known.width === width ? known.tensor : undefined;
    const shape = constants.shape(name);
    if (shape === undefined || shape.length > 2) return undefined;
    if (sizeOf(shape) === 1) return name;
    return shape.at(-1) === width && sizeOf(shape) === width
      ? constants.reshaped(name, [width, 1])
      : undefined;
  });
  return names.every((name) => name !== undefined) ? { names, width } : undefined;
}
