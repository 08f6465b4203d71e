import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  FunctionProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TrainingInfoProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from '../../generated/onnx-ml_pb.ts';
import { goodFile } from './good-file.ts';
import { atSight, type HostileFile } from './hostile-file.ts';

/** Graphs that are none, graphs that grow, and operators that no model may have. */
export function hostileGraphs(): HostileFile[] {
  return [...shapes(), ...functions(), ...operators()];
}

function shapes(): HostileFile[] {
  const withNodes =
    (...nodes: NodeProto[]) =>
    () =>
      goodFile((_model, graph) => graph.node.push(...nodes));
  return atSight({
    'a circle of two nodes': [
      withNodes(node('Neg', 'q', 'p'), node('Neg', 'p', 'q')),
      /its graph is a circle: the tensor '[pq]'/,
    ],
    'a node that feeds itself': [withNodes(node('Neg', 'p', 'p')), /its graph is a circle: the tensor 'p'/],
    'a circle of a thousand nodes': [
      withNodes(...Array.from({ length: 1_000 }, (_, i) => node('Neg', `p${(i + 1) % 1_000}`, `p${i}`))),
      /its graph is a circle/,
    ],
    'a circle through a branch': [
      () =>
        goodFile((_model, graph) =>
          graph.node.push(node('Neg', 'p', 'q'), nested(1, node('Neg', 'q', 'inner'), 'p')),
        ),
      /its graph is a circle/,
    ],
    'a tensor that nothing makes': [
      withNodes(node('Neg', 'nowhere', 'p')),
      /uses the tensor 'nowhere', which nothing makes/,
    ],
    'an output that nothing makes': [
      () => goodFile((_model, graph) => graph.node.pop()),
      /uses the tensor 'probabilities', which nothing makes/,
    ],
    'a branch that uses what nothing makes': [
      withNodes(nested(3, node('Neg', 'nowhere', 'inner'))),
      /'nowhere', which nothing makes/,
    ],
    'a tensor that is made twice': [
      withNodes(node('Neg', 'X', 'probabilities')),
      /'probabilities' is made twice/,
    ],
    'an input that a node makes again': [withNodes(node('Neg', 'probabilities', 'X')), /'X' is made twice/],
    'a weight that a node makes again': [
      withNodes(node('Neg', 'X', 'coefficients')),
      /'coefficients' is made twice/,
    ],
    'two weights of one name': [
      () => goodFile((_model, graph) => graph.initializer.push(...graph.initializer)),
      /two of its weights have the name/,
    ],
    'two nodes of one name': [
      withNodes(called('same', node('Neg', 'X', 'p')), called('same', node('Neg', 'X', 'q'))),
      /two of its nodes have the name 'same'/,
    ],
    'no nodes': [() => goodFile((_model, graph) => (graph.node = [])), /no nodes/],
    'graphs in graphs, nine deep': [withNodes(nested(9)), /nested more than 8 deep/],
    'graphs in graphs, a thousand deep': [withNodes(nested(1_000)), /nested more than 8 deep/],
    'thirty thousand nodes in a row': [
      () => goodFile((_model, graph) => graph.node.push(...chain(30_000))),
      /30000 of its nodes have to run one after the other/,
    ],
  });
}

function functions(): HostileFile[] {
  const withFunctions = (make: () => ReturnType<typeof made>[]) => () =>
    goodFile((model, graph) => {
      model.functions = make();
      model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'mine', version: 1n }));
      graph.node.push(call('f0', 'X', 'more'));
    });
  return atSight({
    'a function that calls itself': [
      withFunctions(() => [made('f0', [call('f0', 'x', 'y')])]),
      /function 'f0' calls itself/,
    ],
    'two functions that call each other': [
      withFunctions(() => [made('f0', [call('f1', 'x', 'y')]), made('f1', [call('f0', 'x', 'y')])]),
      /calls itself/,
    ],
    'a function bomb': [
      withFunctions(() =>
        Array.from({ length: 60 }, (_, i) =>
          made(`f${i}`, [call(`f${i + 1}`, 'x', 'z'), call(`f${i + 1}`, 'z', 'y')]),
        ),
      ),
      /it would be more than 10\^15 nodes with its functions in place/,
    ],
    'a small function bomb': [
      withFunctions(() =>
        Array.from({ length: 20 }, (_, i) =>
          made(`f${i}`, [call(`f${i + 1}`, 'x', 'z'), call(`f${i + 1}`, 'z', 'y')]),
        ),
      ),
      /it would be 104\d+ nodes/,
    ],
    'functions that call each other five hundred deep': [
      withFunctions(() =>
        Array.from({ length: 500 }, (_, i) => made(`f${i}`, [call(`f${i + 1}`, 'x', 'y')])),
      ),
      /call each other more than 100 deep/,
    ],
    'a function that is defined twice': [
      withFunctions(() => [made('f0', []), made('f0', [])]),
      /the function 'f0' twice/,
    ],
    "a function in the place of ONNX's own": [
      withFunctions(() => [
        create(FunctionProtoSchema, { domain: '', name: 'MatMul', input: ['x'], output: ['x'] }),
      ]),
      /defines an operator of ONNX's own anew, 'MatMul'/,
    ],
  });
}

function operators(): HostileFile[] {
  const changed = (change: (model: ModelProto, graph: GraphProto) => void) => () => goodFile(change);
  return atSight({
    'an operator of a library': [
      changed((_model, graph) =>
        graph.node.push(create(NodeProtoSchema, { ...node('Custom', 'X', 'p'), domain: 'ai.onnx.contrib' })),
      ),
      /operator 'Custom' is of the domain 'ai.onnx.contrib'.*no libraries are loaded/,
    ],
    'an operator that reads files': [
      changed((_model, graph) =>
        graph.node.push(create(NodeProtoSchema, { ...node('EPContext', 'X', 'p'), domain: 'com.microsoft' })),
      ),
      /'EPContext' reads files or runs code/,
    ],
    'an operator that runs Python': [
      changed((_model, graph) =>
        graph.node.push(create(NodeProtoSchema, { ...node('PyOp', 'X', 'p'), domain: 'com.microsoft' })),
      ),
      /'PyOp' reads files or runs code/,
    ],
    'a node without an operator': [
      changed((_model, graph) => graph.node.push(node('', 'X', 'p'))),
      /has no operator/,
    ],
    'operators of the future': [
      () => goodFile(undefined, { opsets: { '': 99 } }),
      /written for opset 99; export it for 9 to 26/,
    ],
    'operators of 2017': [
      () => goodFile(undefined, { opsets: { '': 5 } }),
      /written for opset 5; export it for 9 to 26/,
    ],
    'a format of the future': [() => goodFile(undefined, { irVersion: 99 }), /version 99 of the ONNX format/],
    'no operators declared': [() => goodFile(undefined, { opsets: {} }), /does not say which operators/],
    'operators declared twice': [
      changed((model) =>
        model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: '', version: 9n })),
      ),
      /names two versions of the operators of ''/,
    ],
    'graphs for training': [
      changed((model) => (model.trainingInfo = [create(TrainingInfoProtoSchema, {})])),
      /graphs for training/,
    ],
  });
}

function node(operator: string, input: string, output: string): NodeProto {
  return create(NodeProtoSchema, { opType: operator, input: [input], output: [output] });
}

function called(name: string, made: NodeProto): NodeProto {
  return create(NodeProtoSchema, { ...made, name });
}

function chain(length: number): NodeProto[] {
  return Array.from({ length }, (_, i) => node('Neg', i === 0 ? 'X' : `c${i}`, `c${i + 1}`));
}

/**
 * `If` in `If` in `If`, so many deep. What is inside is written level by level, and stands in the next as bytes: to write a thousand levels in one go would take more stack than there is, or not, as the
 * functions happen to be compiled.
 */
function nested(depth: number, innermost = node('Neg', 'X', 'inner'), output = 'more'): NodeProto {
  let inside = innermost;
  for (let level = 0; level < depth; level += 1) {
    const graph = create(GraphProtoSchema);
    graph.$unknown = [written(GraphProtoSchema.field.node, toBinary(NodeProtoSchema, inside))];
    const { GRAPH } = AttributeProto_AttributeType;
    const attribute = create(AttributeProtoSchema, { name: 'then_branch', type: GRAPH });
    attribute.$unknown = [written(AttributeProtoSchema.field.g, toBinary(GraphProtoSchema, graph))];
    inside = node('If', 'X', level === depth - 1 ? output : `n${level}`);
    inside.$unknown = [written(NodeProtoSchema.field.attribute, toBinary(AttributeProtoSchema, attribute))];
  }
  return inside;
}

/** A message in a field of another, as bytes. */
function written({ number }: { number: number }, bytes: Uint8Array) {
  return { no: number, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(bytes).finish() };
}

function made(name: string, nodes: NodeProto[]) {
  return create(FunctionProtoSchema, {
    domain: 'mine',
    name,
    input: ['x'],
    output: nodes.length === 0 ? ['x'] : ['y'],
    node: nodes,
  });
}

function call(name: string, input: string, output: string): NodeProto {
  return create(NodeProtoSchema, { domain: 'mine', opType: name, input: [input], output: [output] });
}
