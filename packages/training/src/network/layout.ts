import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { FittedLabel } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import { NetworkShapeError } from '../errors.ts';
import { tfLayers } from '../tensorflow.ts';

/** Name of the input with all the float columns; embedding inputs are named as their feature. */
export const DENSE_INPUT = 'dense';

/** The places where encoded rows enter a network, by name, `dense` first. */
export type NetworkInputs = Map<string, SymbolicTensor>;

/**
 * Inputs for what the encoder gives: `dense` float32 `[rows, denseWidth]` where there are dense columns, and int32 `[rows, 1]` per
 * embedding feature.
 *
 * @throws NetworkShapeError when an embedding feature takes the name of the dense input
 */
export function networkInputs({ denseWidth, embeddings }: EncoderLayout): NetworkInputs {
  const inputs: NetworkInputs = new Map();
  if (denseWidth > 0) inputs.set(DENSE_INPUT, tfLayers.input({ shape: [denseWidth], name: DENSE_INPUT }));
  for (const { feature } of embeddings) {
    if (feature === DENSE_INPUT) {
      throw new NetworkShapeError(
        `a feature with an embedding cannot be called '${DENSE_INPUT}', which names the float columns`,
      );
    }
    inputs.set(feature, tfLayers.input({ shape: [1], name: feature, dtype: 'int32' }));
  }
  return inputs;
}

/** Width that the network's output must have. */
export function outputWidth(label: FittedLabel): number {
  switch (label.kind) {
    case 'binary':
    case 'regression':
      return 1;
    case 'multiclass':
      return label.classes.length;
  }
}
