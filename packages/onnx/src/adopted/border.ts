import { ModelRefusedError } from '../errors.ts';
import { TensorProto_DataType, type GraphProto, type ValueInfoProto } from '../generated/onnx-ml_pb.ts';
import type { BorderType } from '../graph-builder.ts';

/** Element types that a model from elsewhere may have at its border. */
const ELEMENT_TYPES: ReadonlyMap<number, BorderType> = new Map([
  [TensorProto_DataType.FLOAT, 'float32'],
  [TensorProto_DataType.DOUBLE, 'float64'],
  [TensorProto_DataType.INT64, 'int64'],
  [TensorProto_DataType.STRING, 'string'],
  [TensorProto_DataType.BOOL, 'bool'],
]);

/** An input of a model from elsewhere. */
export interface ModelInput {
  name: string;
  type: BorderType;
  /** `[rows]`, or `[rows, width]` with `null` where the file does not say how wide; a shape that is not given counts as the latter. */
  shape: 'vector' | { width: number | null };
}

/** The inputs that have to be fed. @throws ModelRefusedError naming one that is no vector or matrix over the rows. */
export function modelInputs(graph: GraphProto): ModelInput[] {
  // Files before version 4 of the format list the weights among the inputs.
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.filter(({ name }) => !weights.has(name)).map(modelInput);
}

function modelInput({ name, type }: ValueInfoProto): ModelInput {
  if (type?.value.case !== 'tensorType') throw new ModelRefusedError(`its input '${name}' is no tensor`);
  const { elemType, shape } = type.value.value;
  const element = ELEMENT_TYPES.get(elemType);
  if (element === undefined) {
    throw new ModelRefusedError(
      `its input '${name}' is of type ${elementName(elemType)}; it must be ${[...ELEMENT_TYPES.values()].join(', ')}`,
    );
  }
  const dims = shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
  if (dims === undefined) return { name, type: element, shape: { width: null } };
  if (dims.length !== 1 && dims.length !== 2) {
    throw new ModelRefusedError(
      `its input '${name}' has ${dims.length} dimensions; it must be [N] or [N, k]`,
    );
  }
  const [rows, width] = dims;
  if (rows !== null && rows !== undefined && rows > 0) {
    throw new ModelRefusedError(
      `its input '${name}' takes exactly ${rows} rows; its first dimension must be left open (None, or a name)`,
    );
  }
  return { name, type: element, shape: dims.length === 1 ? 'vector' : { width: openWidth(width) } };
}

/** Converters write an unknown width as a name, as nothing, as 0 or as -1. */
function openWidth(width: number | null | undefined): number | null {
  return width === undefined || width === null || width <= 0 ? null : width;
}

/** What an output is called, and what it is as far as the choice among them goes. */
export interface ModelOutput {
  name: string;
  kind: 'floats' | 'other tensor' | 'sequence or map';
}

export function modelOutputs(graph: GraphProto): ModelOutput[] {
  return graph.output.map(({ name, type }): ModelOutput => {
    if (type?.value.case !== 'tensorType') return { name, kind: 'sequence or map' };
    const element = ELEMENT_TYPES.get(type.value.value.elemType);
    return { name, kind: element === 'float32' || element === 'float64' ? 'floats' : 'other tensor' };
  });
}

function elementName(type: number): string {
  return (TensorProto_DataType[type] ?? String(type)).toLowerCase();
}
