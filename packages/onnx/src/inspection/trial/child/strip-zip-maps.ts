import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
  type GraphProto,
} from '../../../generated/onnx-ml_pb.ts';
import { ML_DOMAIN } from '../../../graph-builder.ts';

/**
 * Takes the `ZipMap` nodes out of a file, which skl2onnx puts behind probabilities unless it is told not to: they make a sequence of maps of a matrix, which no server wants.
 * Their outputs keep their names and become the matrices. A file without them is given back as it is.
 */
export function stripZipMaps(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph === undefined || !graph.node.some(isZipMap)) return bytes;
  const zipped = new Set(graph.node.filter(isZipMap).flatMap(({ output }) => output));
  graph.node = graph.node.map((node) =>
    isZipMap(node)
      ? create(NodeProtoSchema, {
          name: node.name,
          opType: 'Identity',
          input: node.input,
          output: node.output,
        })
      : node,
  );
  graph.output = graph.output.map((value) => (zipped.has(value.name) ? matrix(value.name) : value));
  return toBinary(ModelProtoSchema, model);
}

function isZipMap({ opType, domain }: GraphProto['node'][number]): boolean {
  return opType === 'ZipMap' && domain === ML_DOMAIN;
}

function matrix(name: string) {
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: TensorProto_DataType.FLOAT } } },
  });
}
