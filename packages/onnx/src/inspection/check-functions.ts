import { ModelRefusedError } from '../errors.ts';
import { functionKey, visitNodes } from './check-operators.ts';
import type { InspectionLimits } from './limits.ts';
import { shown } from './names.ts';
import type { FunctionOutline, GraphOutline, ModelOutline } from './outline.ts';

/**
 * Refuses functions that call themselves, and files that a runtime, which puts functions in place of their calls, would make larger than the limit: thirty functions
 * that each call the next one twice are a thousand million nodes.
 *
 * @throws ModelRefusedError
 */
export function checkFunctions({ functions, graph }: ModelOutline, limits: InspectionLimits): void {
  const byKey = new Map<string, FunctionOutline>();
  for (const made of functions) {
    const key = functionKey(made);
    if (byKey.has(key)) throw new ModelRefusedError(`it defines the function ${shown(made.name)} twice`);
    byKey.set(key, made);
  }
  const nodes = new Expansion(byKey).size(graph);
  if (nodes > limits.nodes)
    throw new ModelRefusedError(
      `it would be ${nodes > 1e15 ? 'more than 10^15' : nodes} nodes with its functions in place of their calls; at most ${limits.nodes} are taken`,
    );
}

/** How deep functions may call each other: more would exceed the stack, here and in others. */
const DEEPEST_CALL = 100;

class Expansion {
  readonly #functions: ReadonlyMap<string, FunctionOutline>;
  readonly #sizes = new Map<string, number>();
  readonly #calling = new Set<string>();

  constructor(functions: ReadonlyMap<string, FunctionOutline>) {
    this.#functions = functions;
  }

  /** Nodes with functions in place. Beyond 2^53 it is no longer exact, and far above any limit. */
  size(graph: Pick<GraphOutline, 'nodes'>): number {
    let size = 0;
    visitNodes(graph, ({ domain, operator, overload }) => {
      const key = functionKey({ domain, name: operator, overload });
      const called = this.#functions.get(key);
      size += called === undefined ? 1 : this.#sizeOf(key, called);
    });
    return size;
  }

  #sizeOf(key: string, called: FunctionOutline): number {
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    if (this.#calling.has(key))
      throw new ModelRefusedError(`its function ${shown(called.name)} calls itself`);
    if (this.#calling.size >= DEEPEST_CALL)
      throw new ModelRefusedError(`its functions call each other more than ${DEEPEST_CALL} deep`);
    this.#calling.add(key);
    const size = this.size(called);
    this.#calling.delete(key);
    this.#sizes.set(key, size);
    return size;
  }
}
