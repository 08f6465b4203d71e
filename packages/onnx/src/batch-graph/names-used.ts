import type { GraphProto, NodeProto } from '../generated/onnx-ml_pb.ts';

/** Every name that some nodes read, in branches and bodies as well. */
export function namesRead(nodes: readonly NodeProto[], names = new Set<string>()): Set<string> {
  for (const { input, attribute } of nodes) {
    for (const name of input) names.add(name);
    for (const { g, graphs } of attribute)
      for (const inner of g ? [g, ...graphs] : graphs) {
        namesRead(inner.node, names);
        for (const { name } of inner.output) names.add(name);
      }
  }
  return names;
}

/** Every name that a graph reads or answers with. */
export function namesUsed(graph: GraphProto): Set<string> {
  return namesRead(graph.node, new Set(graph.output.map(({ name }) => name)));
}
