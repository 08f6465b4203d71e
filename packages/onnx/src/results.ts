import type { InferenceSession, OnnxValue, Tensor } from 'onnxruntime-node';
import { InferenceFailedError } from './errors.ts';

/** Element types that a graph's outputs have, and the arrays that hold them. */
interface ResultData {
  float32: Float32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
  string: string[];
}

/**
 * The data of an output of shape `[rows, width]`.
 *
 * @throws InferenceFailedError where the runtime gave something else, which only a file that is not ours can cause.
 */
export function resultData<Type extends keyof ResultData>(
  results: InferenceSession.OnnxValueMapType,
  name: string,
  expected: { type: Type; rows: number; width: number },
): ResultData[Type] {
  const result = results[name];
  const { type, rows, width } = expected;
  if (!isTensor(result) || result.type !== type || result.dims[0] !== rows || result.size !== rows * width) {
    throw new InferenceFailedError(`the output '${name}' is not ${type} [${rows}, ${width}]`);
  }
  return result.data as ResultData[Type];
}

function isTensor(value: OnnxValue | undefined): value is Tensor {
  return value !== undefined && 'dims' in value;
}
