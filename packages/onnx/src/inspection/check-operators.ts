import { ModelRefusedError } from '../errors.ts';
import { ML_DOMAIN } from '../graph-builder.ts';
import { shown } from './names.ts';
import type { FunctionOutline, GraphOutline, ModelOutline, NodeOutline } from './outline.ts';

/** Operators of ONNX Runtime's own, part of which its CPU build has: those that it lacks are told of when it loads the file. */
export const MICROSOFT_DOMAIN = 'com.microsoft';

/** Versions that ONNX Runtime 1.30 loads; the oldest of ONNX's own is the one that nodes of the platform can be added to. */
const VERSIONS: ReadonlyMap<string, { from: bigint; to: bigint }> = new Map([
  ['', { from: 9n, to: 26n }],
  [ML_DOMAIN, { from: 1n, to: 5n }],
  [MICROSOFT_DOMAIN, { from: 1n, to: 1n }],
]);
const NEWEST_IR = 13;

/** Operators that read files or run code of others where a build has them. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'EPContext',
  'PyOp',
  'PythonOp',
  'PythonOpGrad',
  'TorchEmbedding',
]);

/** @throws ModelRefusedError naming the version or operator that is not taken */
export function checkOperators(model: ModelOutline): void {
  checkVersions(model);
  const own = new Set(model.functions.map(({ domain }) => domain));
  const check = (node: NodeOutline) => checkOperator(node, own);
  visitNodes(model.graph, check);
  for (const { nodes } of model.functions) visitNodes({ nodes }, check);
}

function checkVersions({ irVersion, opsets, functions }: ModelOutline): void {
  if (irVersion < 1 || irVersion > NEWEST_IR) {
    throw new ModelRefusedError(
      `it is of version ${irVersion} of the ONNX format; 1 to ${NEWEST_IR} are taken`,
    );
  }
  if (opsets.size === 0) throw new ModelRefusedError('it does not say which operators it is written for');
  for (const [domain, version] of opsets) {
    const known = VERSIONS.get(domain);
    if (known === undefined) continue;
    if (version >= known.from && version <= known.to) continue;
    const which = domain === '' ? 'opset' : `opset of ${domain}`;
    throw new ModelRefusedError(
      `it is written for ${which} ${version}; export it for ${known.from} to ${known.to} (target_opset, opset_version)`,
    );
  }
  const taken = functions.find(({ domain }) => VERSIONS.has(domain === 'ai.onnx' ? '' : domain));
  if (taken !== undefined)
    throw new ModelRefusedError(`it defines an operator of ONNX's own anew, ${shown(taken.name)}`);
}

function checkOperator({ domain, operator }: NodeOutline, own: ReadonlySet<string>): void {
  const known = VERSIONS.has(domain === 'ai.onnx' ? '' : domain);
  if (operator === '') throw new ModelRefusedError('a node of it has no operator');
  if (FORBIDDEN.has(operator))
    throw new ModelRefusedError(
      `its operator ${shown(operator)} reads files or runs code, which no model may here`,
    );
  if (known || own.has(domain)) return;
  throw new ModelRefusedError(
    `its operator ${shown(operator)} is of the domain ${shown(domain)}; only operators of ONNX, ${ML_DOMAIN} and ${MICROSOFT_DOMAIN} can be run, and no libraries are loaded`,
  );
}

/** Visits the nodes of a graph, and those of the graphs in them. */
export function visitNodes({ nodes }: Pick<GraphOutline, 'nodes'>, visit: (node: NodeOutline) => void): void {
  for (const node of nodes) {
    visit(node);
    for (const graph of node.graphs) visitNodes(graph, visit);
  }
}

/** What a function is called by. */
export function functionKey({
  domain,
  name,
  overload,
}: Pick<FunctionOutline, 'domain' | 'name' | 'overload'>): string {
  return JSON.stringify([domain, name, overload]);
}
