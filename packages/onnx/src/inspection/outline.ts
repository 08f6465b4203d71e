/** What an ONNX file is made of, without its numbers: what is checked before anything reads it whole. */
export interface ModelOutline {
  irVersion: number;
  producer: { name: string; version: string };
  /** Versions of the operators by domain; '' is ONNX's own. */
  opsets: Map<string, bigint>;
  graph: GraphOutline;
  functions: FunctionOutline[];
  metadata: Map<string, string>;
  /** Whether it has graphs for training. */
  hasTraining: boolean;
}

export interface GraphOutline {
  nodes: NodeOutline[];
  initializers: TensorOutline[];
  sparse: SparseOutline[];
  inputs: ValueOutline[];
  outputs: ValueOutline[];
}

export interface FunctionOutline {
  domain: string;
  name: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  nodes: NodeOutline[];
}

export interface NodeOutline {
  name: string;
  domain: string;
  operator: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  /** In its attributes, by the order in the file. */
  graphs: GraphOutline[];
  tensors: TensorOutline[];
  sparse: SparseOutline[];
  /** The classes that a classifier of `ai.onnx.ml` names, as texts. */
  classes: string[];
}

export interface TensorOutline {
  name: string;
  /** The number of a TensorProto_DataType. */
  type: number;
  dims: bigint[];
  /** Bytes in `raw_data`; null where it has none. */
  rawBytes: number | null;
  /** Numbers or texts in the field of the tensor's type; null where it has none. */
  elements: number | null;
  /** Where it lies, of a tensor outside the file. */
  outside: string | null;
  segmented: boolean;
}

export interface SparseOutline {
  values: TensorOutline | undefined;
  indices: TensorOutline | undefined;
  dims: bigint[];
}

export interface ValueOutline {
  name: string;
  type:
    | { kind: 'tensor'; element: number; dims: (bigint | null)[] | null }
    | { kind: 'sequence' | 'map' | 'optional' | 'sparse tensor' | 'opaque' | 'unknown' };
}
