import type { KernelFunc, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { tf } from '../tensorflow.ts';

/** What a kernel of the wasm backend is called with. Inputs lie in the WebAssembly heap. */
export interface WasmCall {
  inputs: Record<string, TensorInfo>;
  attributes: Record<string, unknown>;
  backend: BackendWasm;
}

/** A kernel, or for a replacement `null` where a call does not fit it and the stock kernel has to do. */
export type WasmKernel = (call: WasmCall) => TensorInfo | TensorInfo[];
export type WasmReplacement = (call: WasmCall, stock: WasmKernel) => ReturnType<WasmKernel> | null;

/** Registers a kernel that the wasm backend lacks. */
export function addKernel(name: string, kernel: WasmKernel): void {
  tf.registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: (parameters) => kernel(callOf(parameters)),
  });
}

/** Puts a kernel before the wasm backend's own. Must be called before the backend starts, which prepares the kernels registered by then. */
export function replaceKernel(name: string, replacement: WasmReplacement): void {
  const stock = tf.getKernel(name, 'wasm');
  tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({
    ...stock,
    kernelFunc: (parameters) => {
      const own: WasmKernel = ({ inputs, attributes, backend }) =>
        stock.kernelFunc({ inputs, attrs: attributes as NamedAttrMap, backend });
      return replacement(callOf(parameters), own) ?? stock.kernelFunc(parameters);
    },
  });
}

function callOf({ inputs, attrs, backend }: Parameters<KernelFunc>[0]): WasmCall {
  return {
    inputs: inputs as Record<string, TensorInfo>,
    attributes: attrs ?? {},
    backend: backend as BackendWasm,
  };
}

export function input(call: WasmCall, name: string): TensorInfo {
  const tensor = call.inputs[name];
  if (tensor === undefined) throw new TypeError(`The kernel was called without its input '${name}'.`);
  return tensor;
}

/**
 * A tensor's numbers, in place. Take it after every output has been made: making one may grow the heap, which detaches the views
 * taken before.
 */
export function floats({ backend }: Pick<WasmCall, 'backend'>, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

export function integers({ backend }: WasmCall, tensor: TensorInfo): Int32Array {
  return backend.typedArrayFromHeap(tensor) as Int32Array;
}

/** Rows and columns of a float matrix; `null` for anything else. */
export function matrixShape(tensor: TensorInfo): [rows: number, columns: number] | null {
  const [rows, columns, ...rest] = tensor.shape;
  if (tensor.dtype !== 'float32' || rows === undefined || columns === undefined || rest.length > 0)
    return null;
  return [rows, columns];
}
