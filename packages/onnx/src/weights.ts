import { ArtifactInvalidError } from './errors.ts';
import {
  TensorProto_DataLocation,
  TensorProto_DataType,
  type GraphProto,
  type TensorProto,
} from './generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX } from './graph-builder.ts';
import type { WeightTensor } from './network.ts';

/** A plain number, as the tensor's field is. */
const FLOAT: number = TensorProto_DataType.FLOAT;

/** The network's weights among a graph's constants, by name. @throws ArtifactInvalidError where one is not what its shape says. */
export function readWeights(graph: GraphProto): Map<string, WeightTensor> {
  const own = graph.initializer.filter(({ name }) => !name.startsWith(RESERVED_PREFIX));
  return new Map(own.map((tensor) => [tensor.name, readWeight(tensor)]));
}

function readWeight(tensor: TensorProto): WeightTensor {
  const shape = tensor.dims.map(Number);
  const bytes = shape.reduce((product, extent) => product * extent, Float32Array.BYTES_PER_ELEMENT);
  const inline = tensor.dataLocation === TensorProto_DataLocation.DEFAULT;
  const { rawData } = tensor;
  if (!inline || tensor.dataType !== FLOAT || rawData.byteLength !== bytes) {
    throw new ArtifactInvalidError(`its weight '${tensor.name}' is not float32 [${shape.join(', ')}]`);
  }
  // A copy, since within the file the numbers need not lie at a multiple of four. `Uint8Array.from`, since what was read as a Buffer is one
  // still, and Buffer's own `slice` shares the whole file's memory.
  return { shape, data: new Float32Array(Uint8Array.from(rawData).buffer) };
}
