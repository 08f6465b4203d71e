import { createHash } from 'node:crypto';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ArtifactInvalidError } from './errors.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  TensorProto_DataType,
  type TensorProto,
} from './generated/onnx-ml_pb.ts';

/**
 * What an ONNX file is made of, told apart well enough to say where two files differ: `initializers.<name>` with type, shape and digest,
 * `metadata.<key>` with its value, and `graph.nodes`, `graph.inputs`, `graph.outputs` with what digests them. Files with equal parts may still differ in
 * how they are laid out.
 *
 * @throws ArtifactInvalidError where the bytes are no ONNX file
 */
export function modelParts(bytes: Uint8Array): Map<string, string> {
  const { graph, metadataProps } = parse(bytes);
  const parts = new Map(metadataProps.map(({ key, value }) => [`metadata.${key}`, value]));
  if (graph === undefined) return parts;
  for (const tensor of graph.initializer) parts.set(`initializers.${tensor.name}`, spoken(tensor));
  const { node, input, output, ...rest } = { ...graph, initializer: [] };
  const digest = (part: Partial<typeof graph>) =>
    digestOf(toBinary(GraphProtoSchema, { ...rest, node: [], input: [], output: [], ...part }));
  parts.set('graph.nodes', `${node.length} nodes, ${digest({ node })}`);
  parts.set('graph.inputs', `${input.length} inputs, ${digest({ input })}`);
  parts.set('graph.outputs', `${output.length} outputs, ${digest({ output })}`);
  return parts;
}

function parse(bytes: Uint8Array) {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new ArtifactInvalidError('its bytes are not an ONNX file', { cause });
  }
}

/** `FLOAT[20,64], 8c1f0a9be1d2` */
function spoken(tensor: TensorProto): string {
  const type = TensorProto_DataType[tensor.dataType] ?? `type ${tensor.dataType}`;
  return `${type}[${tensor.dims.join(',')}], ${digestOf(toBinary(TensorProtoSchema, tensor))}`;
}

/** Twelve hexadecimal digits tell apart what one file's counterpart may hold: 48 bits, against nobody who wishes them equal. */
function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
