import type { GraphProto } from '../generated/onnx-ml_pb.ts';

/** Most kinds of operators that are listed. */
const KINDS_LISTED = 100;

/** A graph's operators in the order in which they first occur, with how often each does: `Gemm × 3`. */
export function operatorsOf(graph: GraphProto): string[] {
  const counts = new Map<string, number>();
  for (const { opType } of graph.node) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts]
    .slice(0, KINDS_LISTED)
    .map(([name, count]) => (count === 1 ? name : `${name} × ${count}`));
}
