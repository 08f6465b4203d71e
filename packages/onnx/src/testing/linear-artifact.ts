import { writeArtifact } from '../artifact.ts';

/** An artifact of one number, which answers `factor · x + amount` to `{ x }`; a missing x counts as 0. Whose answer one is can be told from it. */
export function linearArtifact({ factor = 1, amount = 0 }: { factor?: number; amount?: number }): Uint8Array {
  return writeArtifact({
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
          kernel: { shape: [1, 1], data: new Float32Array([factor]) },
          bias: { shape: [1], data: new Float32Array([amount]) },
          activation: 'linear',
        },
      ],
      output: 'sum',
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
}
