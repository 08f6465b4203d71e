import { create, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type GraphProto,
  type ModelProto,
  type ValueInfoProto,
} from '../generated/onnx-ml_pb.ts';
import { GraphBuilder, ML_DOMAIN } from '../graph-builder.ts';

const TYPES = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  string: TensorProto_DataType.STRING,
  bool: TensorProto_DataType.BOOL,
};
export type ForeignType = keyof typeof TYPES;

/** A tensor at the border of a model from elsewhere: a dimension is a number, or open. */
export function value(name: string, type: ForeignType, dims?: (number | null)[]): ValueInfoProto {
  const dim = dims?.map((size) => ({
    value:
      size === null
        ? { case: undefined, value: undefined }
        : { case: 'dimValue' as const, value: BigInt(size) },
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: { elemType: TYPES[type], ...(dim === undefined ? {} : { shape: { dim } }) },
      },
    },
  });
}

/** The sequence of maps that skl2onnx makes of probabilities unless told not to. */
export function zipMap(name: string): ValueInfoProto {
  const map = create(TypeProtoSchema, {
    value: {
      case: 'mapType',
      value: {
        keyType: TensorProto_DataType.INT64,
        valueType: { value: { case: 'tensorType', value: { elemType: TensorProto_DataType.FLOAT } } },
      },
    },
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'sequenceType', value: { elemType: map } } },
  });
}

export interface ForeignModel {
  inputs: ValueInfoProto[];
  outputs: ValueInfoProto[];
  /** Writes the nodes; their tensors' names are as the model's author would call them. */
  write: (graph: GraphBuilder) => void;
  opsets?: Record<string, number>;
  irVersion?: number;
  metadata?: Record<string, string>;
  change?: (model: ModelProto) => void;
}

/** An ONNX file as another program would write it: no metadata of ours, names and versions of its own. */
export function foreignModel(parts: ForeignModel): Uint8Array {
  const builder = new GraphBuilder('t_');
  parts.write(builder);
  const { node, initializer }: GraphProto = builder.build('foreign');
  const opsets = Object.entries(parts.opsets ?? { '': 17, [ML_DOMAIN]: 3 });
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(parts.irVersion ?? 8),
    producerName: 'elsewhere',
    opsetImport: opsets.map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    graph: create(GraphProtoSchema, {
      name: 'foreign',
      node,
      initializer,
      input: parts.inputs,
      output: parts.outputs,
    }),
    metadataProps: Object.entries(parts.metadata ?? {}).map(([key, text]) =>
      create(StringStringEntryProtoSchema, { key, value: text }),
    ),
  });
  parts.change?.(model);
  return toBinary(ModelProtoSchema, model);
}

/** Makes the first weight of a model lie in another file. */
export function moveOutside(model: ModelProto): void {
  const weight = model.graph?.initializer[0];
  if (weight === undefined) throw new TypeError('The model has no weights.');
  weight.dataLocation = TensorProto_DataLocation.EXTERNAL;
  weight.rawData = new Uint8Array(0);
  weight.externalData = [
    create(StringStringEntryProtoSchema, { key: 'location', value: '../../etc/passwd' }),
  ];
}

/** sigmoid(weights · X) as the last column of `[N, 2]`, from a matrix of floats. */
export function writeLogistic(
  graph: GraphBuilder,
  options: { input: string; weights: number[]; output: string },
): void {
  const { input, weights, output } = options;
  const kernel = graph.weight('coefficients', {
    data: Float32Array.from(weights),
    shape: [weights.length, 1],
  });
  const positive = graph.node('Sigmoid', [graph.node('MatMul', [input, kernel])]);
  const negative = graph.node('Sub', [graph.constant(Float32Array.of(1), []), positive]);
  graph.node('Concat', [negative, positive], { attributes: { axis: { int: 1 } }, output });
}
