import { tf } from '../tensorflow.ts';
import { gatherRows, unsortedSegmentSum } from './embedding-kernels.ts';
import { addKernel, replaceKernel } from './kernel.ts';
import { fusedMatMul, matMul } from './matmul-kernels.ts';
import { joinColumns, splitColumns, sumColumns, transposeMatrix } from './matrix-kernels.ts';

/**
 * Completes the wasm backend for training: a kernel it lacks, one it gets wrong, and those that a tabular network spends its time in.
 * To be called before the backend starts; a second call does nothing.
 */
export function installWasmKernels(): void {
  if (tf.getKernel('UnsortedSegmentSum', 'wasm') !== undefined) return;
  addKernel('UnsortedSegmentSum', unsortedSegmentSum);
  replaceKernel('GatherV2', gatherRows);
  replaceKernel('BatchMatMul', matMul);
  replaceKernel('_FusedMatMul', fusedMatMul);
  replaceKernel('Transpose', transposeMatrix);
  replaceKernel('Concat', joinColumns);
  replaceKernel('SplitV', splitColumns);
  replaceKernel('Sum', sumColumns);
}
