import { pipelineSpecSchema } from '@perennial/contract';

/** The parts of JSON Schema that the pipeline's schema uses. */
interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  /** Of a record: what its keys may be. */
  propertyNames?: { enum?: string[] };
  items?: SchemaNode;
  oneOf?: SchemaNode[];
  anyOf?: SchemaNode[];
  const?: unknown;
}

type Path = readonly PropertyKey[];

/** The fields that may stand at a path of a pipeline's normal form; of a union, those of the alternative whose kind the value states. */
export function allowedFields(value: unknown, path: Path): string[] {
  let node: SchemaNode | undefined = pipelineSpecSchema.toJSONSchema({ io: 'input' }) as SchemaNode;
  let here = value;
  for (const key of path) {
    node = child(alternative(node, here), key);
    here = (here as Record<PropertyKey, unknown> | undefined)?.[key];
    if (node === undefined) return [];
  }
  const { properties, propertyNames } = alternative(node, here);
  return propertyNames?.enum ?? Object.keys(properties ?? {});
}

function child(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === 'number') return node.items;
  const extra = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  return node.properties?.[String(key)] ?? extra;
}

function alternative(node: SchemaNode, value: unknown): SchemaNode {
  const kind = (value as { kind?: unknown } | undefined)?.kind;
  const options = node.oneOf ?? node.anyOf ?? [];
  return options.find((option) => option.properties?.['kind']?.const === kind) ?? node;
}
