import { ModelRefusedError } from '../errors.ts';
import type { InspectionLimits } from './limits.ts';
import { shown } from './names.ts';
import type { GraphOutline, NodeOutline } from './outline.ts';

/** Names that a graph inside another one may use of those around it, innermost last. */
type Scopes = readonly ReadonlySet<string>[];

/**
 * Refuses graphs that are none: a tensor that nothing makes, one that two nodes make, a circle of nodes. Nodes may be in any order.
 *
 * @returns the names that the graph takes from those around it
 * @throws ModelRefusedError naming the tensor
 */
export function checkGraph(
  graph: Pick<GraphOutline, 'nodes'> & Partial<GraphOutline>,
  limits: InspectionLimits,
  around: Scopes = [],
): Set<string> {
  const makers = makersOf(graph);
  const own: ReadonlySet<string> = new Set(makers.keys());
  const taken = new Set<string>();
  const uses = graph.nodes.map((node) => usesOf(node, { limits, scopes: [...around, own] }));
  for (const name of [...uses.flat(), ...(graph.outputs ?? []).map((output) => output.name)]) {
    if (own.has(name)) continue;
    if (!around.some((scope) => scope.has(name)))
      throw new ModelRefusedError(`its graph uses the tensor ${shown(name)}, which nothing makes`);
    taken.add(name);
  }
  checkOrder(graph.nodes, { makers, uses, limits });
  return taken;
}

/** Which node makes each tensor of a graph; null of those that are there from the start. */
function makersOf({
  nodes,
  inputs,
  initializers,
  sparse,
}: Pick<GraphOutline, 'nodes'> & Partial<GraphOutline>) {
  const makers = new Map<string, number | null>();
  for (const { name } of inputs ?? []) {
    if (name === '') throw new ModelRefusedError('one of its inputs has no name');
    if (makers.has(name)) throw new ModelRefusedError(`two of its inputs have the name ${shown(name)}`);
    makers.set(name, null);
  }
  const weights = [...(initializers ?? []), ...(sparse ?? []).flatMap(({ values }) => values ?? [])];
  const seen = new Set<string>();
  for (const { name } of weights) {
    // A weight may be named as an input, whose default it is then.
    if (seen.has(name)) throw new ModelRefusedError(`two of its weights have the name ${shown(name)}`);
    seen.add(name);
    makers.set(name, null);
  }
  nodes.forEach(({ outputs }, node) => {
    for (const name of outputs) {
      if (name === '') continue;
      if (makers.has(name)) throw new ModelRefusedError(`its tensor ${shown(name)} is made twice`);
      makers.set(name, node);
    }
  });
  refuseSameNodeNames(nodes);
  return makers;
}

function refuseSameNodeNames(nodes: readonly NodeOutline[]): void {
  const seen = new Set<string>();
  for (const { name } of nodes) {
    if (name === '') continue;
    if (seen.has(name)) throw new ModelRefusedError(`two of its nodes have the name ${shown(name)}`);
    seen.add(name);
  }
}

/** What a node needs: its inputs, and what the graphs in it take from outside. An empty name stands for an input that is left out. */
function usesOf(
  node: NodeOutline,
  { limits, scopes }: { limits: InspectionLimits; scopes: Scopes },
): string[] {
  const inside = node.graphs.flatMap((graph) => [...checkGraph(graph, limits, scopes)]);
  return [...node.inputs, ...inside].filter((name) => name !== '');
}

interface Order {
  makers: ReadonlyMap<string, number | null>;
  uses: readonly (readonly string[])[];
  limits: InspectionLimits;
}

/** Kahn's algorithm (Communications of the ACM 5, 1962): what cannot be put in order lies on a circle, or behind one. */
function checkOrder(nodes: readonly NodeOutline[], { makers, uses, limits }: Order): void {
  const before = uses.map((names) => new Set(names.flatMap((name) => makers.get(name) ?? [])));
  const after: number[][] = nodes.map(() => []);
  before.forEach((makersBefore, node) => makersBefore.forEach((maker) => after[maker]?.push(node)));
  const waiting = before.map(({ size }) => size);
  let ready = waiting.flatMap((count, node) => (count === 0 ? [node] : []));
  let ordered = 0;
  let chain = 0;
  while (ready.length > 0) {
    ordered += ready.length;
    chain += 1;
    const next: number[] = [];
    for (const node of ready)
      for (const follower of after[node] ?? []) {
        const left = (waiting[follower] ?? 0) - 1;
        waiting[follower] = left;
        if (left === 0) next.push(follower);
      }
    ready = next;
  }
  if (ordered < nodes.length) {
    const circling = nodes.find((_, node) => (waiting[node] ?? 0) > 0);
    const tensor = shown(circling?.outputs[0] ?? '');
    throw new ModelRefusedError(
      `its graph is a circle: the tensor ${tensor} is needed before it can be made`,
    );
  }
  if (chain > limits.chain)
    throw new ModelRefusedError(
      `${chain} of its nodes have to run one after the other; at most ${limits.chain} are taken`,
    );
}
