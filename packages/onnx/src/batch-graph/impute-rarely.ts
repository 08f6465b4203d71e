import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from '../generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX, attribute } from '../graph-builder.ts';
import { namesUsed } from './names-used.ts';
import { PLANAR_INPUT } from './planar-numbers.ts';

/**
 * Puts values in for missing ones only in batches that have any: the sum of a tensor tells, which is NaN where one of its values is. Telling missing values and choosing take 3.5 times as long as
 * the sum and a copy. A sum that is NaN for another reason, infinities of both signs, only takes the longer way.
 */
export function imputeRarely(graph: GraphProto): void {
  const raw = new Set([PLANAR_INPUT]);
  const tested = new Map<string, string>();
  graph.node = graph.node.flatMap((node) => {
    const { opType, input, output } = node;
    const [first = '', second = '', third = ''] = input;
    if (opType === 'Gather' && first === PLANAR_INPUT) raw.add(output[0] ?? '');
    if (opType === 'IsNaN' && raw.has(first)) tested.set(output[0] ?? '', first);
    if (opType !== 'Where' || tested.get(first) !== third) return [node];
    return chosen({ values: third, instead: second, output: output[0] ?? '' });
  });
  const used = namesUsed(graph);
  graph.node = graph.node.filter(({ output: [output = ''] }) => !tested.has(output) || used.has(output));
}

/** Nodes that give the values, or where one of them is missing, the values with others instead. */
function chosen({
  values,
  instead,
  output,
}: {
  values: string;
  instead: string;
  output: string;
}): NodeProto[] {
  const name = (part: string) => `${RESERVED_PREFIX}rarely/${part}/${output}`;
  const node = (opType: string, input: string[], given: string) =>
    create(NodeProtoSchema, { opType, name: given, input, output: [given] });
  const keep = attribute('keepdims', { int: 0 });
  const some = [
    node('IsNaN', [values], name('missing')),
    node('Where', [name('missing'), instead, values], name('imputed')),
  ];
  const none = [node('Identity', [values], name('whole'))];
  const branches = [branch('then_branch', some, name('imputed')), branch('else_branch', none, name('whole'))];
  return [
    create(NodeProtoSchema, { ...node('ReduceSum', [values], name('sum')), attribute: [keep] }),
    node('IsNaN', [name('sum')], name('any')),
    create(NodeProtoSchema, {
      ...{ opType: 'If', name: name('choice'), input: [name('any')], output: [output] },
      attribute: branches,
    }),
  ];
}

function branch(name: string, nodes: NodeProto[], output: string): AttributeProto {
  const tensor = { case: 'tensorType' as const, value: { elemType: TensorProto_DataType.DOUBLE } };
  const info = create(ValueInfoProtoSchema, { name: output, type: { value: tensor } });
  const g = create(GraphProtoSchema, { name: `${name}/${output}`, node: nodes, output: [info] });
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g });
}
