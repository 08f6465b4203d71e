import { create, equals } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './generated/onnx-ml_pb.ts';

/** The data of a constant: its class decides the tensor's element type. */
export type TensorData = Float32Array | Float64Array | BigInt64Array;

/** Element types of tensors at a graph's border. */
export type BorderType = 'float32' | 'float64' | 'int64' | 'string' | 'bool';

const BORDER_TYPES: Record<BorderType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int64: TensorProto_DataType.INT64,
  string: TensorProto_DataType.STRING,
  bool: TensorProto_DataType.BOOL,
};

/** A tensor of shape `[rows, width]` at a graph's border. */
export interface BorderTensor {
  name: string;
  type: BorderType;
  width: number;
}

/** A value of a node's attribute; the tag chooses the protobuf field, since ONNX tells 1 from 1.0. */
export type AttributeValue =
  | { int: number }
  | { float: number }
  | { strings: string[] }
  | { ints: number[] }
  | { tensor: { data: TensorData; shape: number[] } };

export interface NodeOptions {
  attributes?: Record<string, AttributeValue>;
  /** Operator set; ONNX's own when absent. */
  domain?: string;
  /** Name of the output; one is made when absent. */
  output?: string;
}

/** Domain of the operators for classical machine learning, `LabelEncoder` among them. */
export const ML_DOMAIN = 'ai.onnx.ml';

/** Names that begin so are the writer's own: no column, layer or weight has one. */
export const RESERVED_PREFIX = '#';

/**
 * Collects the nodes, constants, inputs and outputs of one ONNX graph. Tensors are known by name. Names count up in the order of the
 * calls, so that the same calls give the same bytes.
 */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #prefix: string;

  /** @param prefix what the names that it makes begin with: another one where the nodes go into a graph that has names of its own */
  constructor(prefix: string = RESERVED_PREFIX) {
    this.#prefix = prefix;
  }

  /** Adds a node with one output, and gives the output's name. */
  node(operator: string, inputs: string[], options: NodeOptions = {}): string {
    const name = `${operator}_${this.#nodes.length}`;
    const output = options.output ?? this.#prefix + name;
    this.#nodes.push(
      create(NodeProtoSchema, {
        // Ours have been without the prefix since the first artifacts; in a graph with nodes of its own they must not meet.
        name: this.#prefix === RESERVED_PREFIX ? name : this.#prefix + name,
        opType: operator,
        ...(options.domain === undefined ? {} : { domain: options.domain }),
        input: inputs,
        output: [output],
        attribute: Object.entries(options.attributes ?? {}).map(([key, value]) => attribute(key, value)),
      }),
    );
    return output;
  }

  /** Adds a constant and gives its name. */
  constant(data: TensorData, shape: number[]): string {
    return this.weight(`${this.#prefix}constant_${this.#initializers.length}`, { data, shape });
  }

  /** A constant of shape `[]`. */
  scalar(value: number | bigint): string {
    return this.constant(typeof value === 'bigint' ? BigInt64Array.of(value) : Float64Array.of(value), []);
  }

  /** Adds a constant under a name of its own. */
  weight(name: string, tensor: { data: TensorData; shape: number[] }): string {
    this.#initializers.push(tensorProto(name, tensor));
    return name;
  }

  cast(tensor: string, to: BorderType): string {
    return this.node('Cast', [tensor], { attributes: { to: { int: BORDER_TYPES[to] } } });
  }

  /** Concatenates tensors along their last axis; of one tensor there is nothing to do. */
  sideBySide(tensors: string[]): string {
    const [only] = tensors;
    if (only !== undefined && tensors.length === 1) return only;
    return this.node('Concat', tensors, { attributes: { axis: { int: -1 } } });
  }

  /** Declares an input of shape `[rows, 1]`. */
  input(name: string, type: BorderType): string {
    this.#inputs.push(valueInfo({ name, type, width: 1 }));
    return name;
  }

  /** Declares that an existing tensor is the graph's output under `name`, of shape `[rows, width]`. */
  output(name: string, border: { tensor: string; type: BorderType; width: number }): void {
    this.node('Identity', [border.tensor], { output: name });
    this.#outputs.push(valueInfo({ name, type: border.type, width: border.width }));
  }

  build(name: string): GraphProto {
    return create(GraphProtoSchema, {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
  }
}

/** Whether a graph's inputs or outputs are exactly these. */
export function isBorder(found: ValueInfoProto[], expected: BorderTensor[]): boolean {
  const wanted = expected.map(valueInfo);
  return (
    found.length === wanted.length &&
    wanted.every((info, i) => {
      const other = found[i];
      return other !== undefined && equals(ValueInfoProtoSchema, info, other);
    })
  );
}

/** How a graph declares a tensor of `[rows, width]` at its border. */
export function valueInfo({ name, type, width }: BorderTensor): ValueInfoProto {
  return tensorInfo(name, BORDER_TYPES[type], ['rows', width]);
}

/** How a graph declares a tensor; extents that vary have names. */
export function tensorInfo(
  name: string,
  elemType: TensorProto_DataType,
  shape: readonly (string | number)[],
): ValueInfoProto {
  const dim = shape.map((extent) =>
    typeof extent === 'string'
      ? { value: { case: 'dimParam' as const, value: extent } }
      : { value: { case: 'dimValue' as const, value: BigInt(extent) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  });
}

/** An attribute of a node. */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  if ('int' in value) {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.INT,
      i: BigInt(value.int),
    });
  }
  if ('float' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  }
  if ('ints' in value) {
    const ints = value.ints.map(BigInt);
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints });
  }
  if ('strings' in value) {
    const encoder = new TextEncoder();
    const strings = value.strings.map((text) => encoder.encode(text));
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRINGS, strings });
  }
  const t = tensorProto(name, value.tensor);
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.TENSOR, t });
}

/** A constant of a graph. */
export function tensorProto(name: string, tensor: { data: TensorData; shape: number[] }): TensorProto {
  const { data, shape } = tensor;
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: elementType(data),
    // ONNX wants little endian, which every platform of ONNX Runtime is.
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

function elementType(data: TensorData): TensorProto_DataType {
  if (data instanceof Float32Array) return TensorProto_DataType.FLOAT;
  if (data instanceof Float64Array) return TensorProto_DataType.DOUBLE;
  return TensorProto_DataType.INT64;
}
