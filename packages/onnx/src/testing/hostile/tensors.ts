import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  FunctionProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
  TensorProto_SegmentSchema,
  type GraphProto,
  type TensorProto,
} from '../../generated/onnx-ml_pb.ts';
import { goodFile } from './good-file.ts';
import { atSight, type HostileFile } from './hostile-file.ts';

/** Tensors outside the file, and those that are not what they declare. */
export function hostileTensors(): HostileFile[] {
  return [...outside(), ...misshapen(), ...miscounted(), ...sparse()];
}

function outside(): HostileFile[] {
  const located = (location: string) => () => goodFile((_model, graph) => moveTo(weightOf(graph), location));
  return atSight({
    'weights above the folder': [
      located('../../etc/passwd'),
      /'coefficients' lies in another file, '..\/..\/etc\/passwd', above the model's own folder/,
    ],
    'weights behind a detour': [located('weights/../../../etc/shadow'), /above the model's own folder/],
    'weights above the folder on Windows': [located('..\\..\\secrets.txt'), /above the model's own folder/],
    'weights under an absolute path': [located('/etc/passwd'), /'\/etc\/passwd', named by an absolute path/],
    'weights on a drive': [located('C:\\secrets.bin'), /named by an absolute path/],
    'weights on a share': [located('\\\\server\\share\\w.bin'), /named by an absolute path/],
    'weights behind a URL': [located('file:///etc/passwd'), /named by an absolute path/],
    'weights under the process': [located('/proc/self/environ'), /named by an absolute path/],
    'weights in a name with NUL': [located('weights.bin\0/../../etc/passwd'), /weights.bin<U\+0000>/],
    'weights in a file beside it': [
      located('model.onnx.data'),
      /without external data \(torch.onnx.export: external_data=False\)/,
    ],
    'weights outside without a place': [
      () => goodFile((_model, graph) => (weightOf(graph).dataLocation = TensorProto_DataLocation.EXTERNAL)),
      /lies in another file;/,
    ],
    'weights with a place that are said to be inside': [
      () => goodFile((_model, graph) => (weightOf(graph).externalData = locationEntries('../w'))),
      /lies in another file/,
    ],
    'a constant outside': [
      () => goodFile((_model, graph) => addConstant(graph, outsideTensor())),
      /'far' lies in another file/,
    ],
    'a weight outside in a branch': [
      () => goodFile((_model, graph) => addBranch(graph, outsideTensor())),
      /'far' lies in another file/,
    ],
    'a weight outside in a function': [
      () =>
        goodFile((model) => {
          model.functions = [
            create(FunctionProtoSchema, {
              domain: 'mine',
              name: 'f',
              output: ['y'],
              node: [constantNode('y', outsideTensor())],
            }),
          ];
        }),
      /'far' lies in another file/,
    ],
    'sparse values outside': [
      () => goodFile((_model, graph) => addSparse(graph, { values: outsideTensor(), dims: [1n] })),
      /'far' lies in another file/,
    ],
  });
}

function misshapen(): HostileFile[] {
  const withDims = (...dims: bigint[]) => changed((tensor) => (tensor.dims = dims));
  return atSight({
    'a tensor of 2 GB in twelve bytes': [
      withDims(2n ** 29n),
      /'coefficients' declares 2147483648 bytes; at most 2147483647/,
    ],
    'a tensor of 2 EB': [withDims(2n ** 30n, 2n ** 31n), /declares 9223372036854775808 bytes/],
    'a tensor whose size is zero in 64 bits': [
      withDims(2n ** 32n, 2n ** 32n),
      /declares 73786976294838206464 bytes/,
    ],
    'a tensor just below the limit': [
      withDims(2n ** 28n),
      /declares \[268435456\], which is 1073741824 bytes, and holds 8/,
    ],
    'a dimension below zero': [withDims(-1n, -2n), /has a dimension of -1/],
    'the smallest dimension there is': [withDims(-(2n ** 63n)), /has a dimension of -9223372036854775808/],
    'forty dimensions': [withDims(...Array<bigint>(40).fill(1n)), /more than 16 dimensions/],
    'a thousand dimensions': [withDims(...Array<bigint>(1_000).fill(1n)), /more than 16 dimensions/],
    'fewer bytes than declared': [withDims(2n, 2n), /declares \[2, 2\], which is 16 bytes, and holds 8/],
    'more bytes than declared': [withDims(1n), /declares \[1\], which is 4 bytes, and holds 8/],
  });
}

function miscounted(): HostileFile[] {
  return atSight({
    'an unknown type': [changed((tensor) => (tensor.dataType = 99)), /unknown type 99/],
    'no type': [changed((tensor) => (tensor.dataType = 0)), /unknown type 0/],
    'numbers twice': [changed((tensor) => (tensor.floatData = [1, 2])), /holds its numbers twice/],
    'one segment of a tensor': [
      changed((tensor) => (tensor.segment = create(TensorProto_SegmentSchema, { begin: 0n, end: 1n }))),
      /one segment of several/,
    ],
    'fewer floats than declared': [
      () =>
        goodFile((_model, graph) =>
          addConstant(
            graph,
            create(TensorProtoSchema, {
              name: 'few',
              dims: [1_000_000n],
              dataType: Type.FLOAT,
              floatData: [1],
            }),
          ),
        ),
      /'few' declares \[1000000\], which is 1000000 values, and holds 1/,
    ],
    'fewer integers than declared': [
      () =>
        goodFile((_model, graph) =>
          addConstant(
            graph,
            create(TensorProtoSchema, { name: 'few', dims: [3n], dataType: Type.INT64, int64Data: [1n, 2n] }),
          ),
        ),
      /'few' declares \[3\], which is 3 values, and holds 2/,
    ],
    'fewer texts than declared': [
      () =>
        goodFile((_model, graph) =>
          addConstant(
            graph,
            create(TensorProtoSchema, {
              name: 'few',
              dims: [2n ** 40n],
              dataType: Type.STRING,
              stringData: [],
            }),
          ),
        ),
      /'few' declares \[1099511627776\]/,
    ],
  });
}

function sparse(): HostileFile[] {
  return atSight({
    'a sparse tensor of a terabyte': [
      () =>
        goodFile((_model, graph) =>
          addSparse(graph, { values: numbers('far', 1), dims: [2n ** 20n, 2n ** 18n] }),
        ),
      /'far' declares 1099511627776 bytes/,
    ],
    'a sparse tensor without values': [
      () =>
        goodFile(
          (_model, graph) => (graph.sparseInitializer = [create(SparseTensorProtoSchema, { dims: [1n] })]),
        ),
      /has no values or no indices/,
    ],
  });
}

function changed(change: (tensor: TensorProto) => void): () => Uint8Array {
  return () => goodFile((_model, graph) => change(weightOf(graph)));
}

function weightOf(graph: GraphProto): TensorProto {
  const [weight] = graph.initializer;
  if (weight === undefined) throw new TypeError('The model has no weights.');
  return weight;
}

function locationEntries(location: string) {
  return [create(StringStringEntryProtoSchema, { key: 'location', value: location })];
}

function moveTo(tensor: TensorProto, location: string): void {
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  tensor.rawData = new Uint8Array(0);
  tensor.externalData = locationEntries(location);
}

function numbers(name: string, count: number): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: [BigInt(count)],
    dataType: Type.FLOAT,
    rawData: new Uint8Array(count * 4),
  });
}

function outsideTensor(): TensorProto {
  const tensor = numbers('far', 1);
  moveTo(tensor, '../far.bin');
  return tensor;
}

function constantNode(output: string, tensor: TensorProto) {
  const { TENSOR } = AttributeProto_AttributeType;
  const attribute = create(AttributeProtoSchema, { name: 'value', type: TENSOR, t: tensor });
  return create(NodeProtoSchema, { opType: 'Constant', output: [output], attribute: [attribute] });
}

function addConstant(graph: GraphProto, tensor: TensorProto): void {
  graph.node.push(constantNode('more', tensor));
}

function addSparse(graph: GraphProto, { values, dims }: { values: TensorProto; dims: bigint[] }): void {
  const indices = create(TensorProtoSchema, { dims: [1n], dataType: Type.INT64, int64Data: [0n] });
  graph.sparseInitializer = [create(SparseTensorProtoSchema, { values, indices, dims })];
}

function addBranch(graph: GraphProto, tensor: TensorProto): void {
  const { GRAPH } = AttributeProto_AttributeType;
  const branch = create(GraphProtoSchema, { initializer: [tensor] });
  const attribute = create(AttributeProtoSchema, { name: 'then_branch', type: GRAPH, g: branch });
  graph.node.push(
    create(NodeProtoSchema, { opType: 'If', input: ['X'], output: ['more'], attribute: [attribute] }),
  );
}
