import { TensorProto_DataType as Type } from '../generated/onnx-ml_pb.ts';
import { visitNodes } from './check-operators.ts';
import type { ModelOutline, TensorOutline } from './outline.ts';

/** What a file says of itself, for who reads of it. */
export interface ModelDescription {
  /** What wrote it, by its own word: `skl2onnx 1.20.0`; '' where it does not say. */
  producer: string;
  opsets: { domain: string; version: number }[];
  /** With those of subgraphs, most frequent first. */
  operators: { name: string; count: number }[];
  /** Numbers that it has learned; null where they lie in attributes, as those of trees do, and not among the weights. */
  parameters: number | null;
}

/** Operators that are listed at most. */
const LISTED = 100;

export function describeModel({ producer, opsets, graph }: ModelOutline): ModelDescription {
  const counts = new Map<string, number>();
  visitNodes(graph, ({ operator }) => counts.set(operator, (counts.get(operator) ?? 0) + 1));
  const operators = [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const weights = [...graph.initializers, ...graph.sparse.flatMap(({ values }) => values ?? [])];
  const parameters = weights.reduce((sum, tensor) => sum + learned(tensor), 0);
  return {
    producer: [producer.name, producer.version].filter((word) => word !== '').join(' '),
    opsets: [...opsets].map(([domain, version]) => ({ domain, version: Number(version) })),
    operators: operators.slice(0, LISTED),
    parameters: parameters === 0 ? null : parameters,
  };
}

/** Types that weights have; integers are shapes and indices. */
const LEARNED: readonly number[] = [Type.FLOAT, Type.DOUBLE, Type.FLOAT16, Type.BFLOAT16];

function learned({ type, dims }: TensorOutline): number {
  return LEARNED.includes(type) ? Number(dims.reduce((product, dim) => product * dim, 1n)) : 0;
}
