import { writeArtifact } from '@perennial/onnx';

/** An artifact that answers with twice its input. */
export const DOUBLING = writeArtifact({
  encoder: {
    columns: [{ name: 'x', type: 'number' }],
    features: [
      {
        kind: 'numeric',
        name: 'x',
        column: 'x',
        impute: 0,
        missingIndicator: false,
        clip: {},
        log: false,
        center: 0,
        scale: 1,
      },
    ],
  },
  network: {
    inputs: [{ name: 'dense', kind: 'dense', width: 1 }],
    layers: [
      {
        name: 'out',
        inputs: ['dense'],
        kind: 'dense',
        kernel: { shape: [1, 1], data: Float32Array.of(2) },
        activation: 'linear',
      },
    ],
    output: 'out',
  },
  label: { kind: 'regression', name: 'y', center: 0, scale: 1 },
  properties: {},
});
