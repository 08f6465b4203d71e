import { createHash } from 'node:crypto';
import type { Digest } from '@perennial/contract';
import { writeArtifact } from '@perennial/onnx';

/** A real artifact that answers `x + amount` to an instance `{ x }`; a missing x counts as 0. */
export function addingArtifact(amount: number): { bytes: Uint8Array; digest: Digest } {
  const bytes = writeArtifact({
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
          name: 'sum',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [1, 1], data: new Float32Array([1]) },
          bias: { shape: [1], data: new Float32Array([amount]) },
          activation: 'linear',
        },
      ],
      output: 'sum',
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}
