import type { FittedLabel } from '@perennial/contract';
import { writeArtifact } from '@perennial/onnx';

/** How many numbers the dense input has: amount; smoker and whether it is missing; the hour as sine and cosine and whether it is missing; three cities, missing and other. */
function network(outputs: number, activation: 'sigmoid' | 'softmax' | 'linear', width: number) {
  const data = Float32Array.from({ length: width * outputs }, (_, i) => ((i * 37) % 17) / 17 - 0.4);
  const bias = { shape: [outputs], data: new Float32Array(outputs).fill(0.1) };
  return {
    inputs: [{ name: 'dense', kind: 'dense' as const, width }],
    layers: [
      {
        name: 'out',
        inputs: ['dense'],
        kind: 'dense' as const,
        kernel: { shape: [width, outputs], data },
        bias,
        activation,
      },
    ],
    output: 'out',
  };
}

export const LABELS = {
  binary: { kind: 'binary', name: 'late', threshold: 0.5 },
  multiclass: { kind: 'multiclass', name: 'size', classes: ["it's small", 'medium', 'large'] },
  regression: { kind: 'regression', name: 'cost', center: 10, scale: 2 },
} as const satisfies Record<string, FittedLabel>;

/** An artifact with a column of every type: `amount`, `smoker`, `at`, `city`. */
export function batchArtifact(kind: keyof typeof LABELS): Uint8Array {
  const label: FittedLabel =
    kind === 'multiclass' ? { ...LABELS.multiclass, classes: [...LABELS.multiclass.classes] } : LABELS[kind];
  const outputs = kind === 'multiclass' ? 3 : 1;
  const activation = ({ binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const)[kind];
  return writeArtifact({
    encoder: {
      columns: [
        { name: 'amount', type: 'number' },
        { name: 'at', type: 'timestamp' },
        { name: 'city', type: 'text' },
        { name: 'smoker', type: 'boolean' },
      ],
      features: [
        {
          kind: 'numeric',
          name: 'amount',
          column: 'amount',
          impute: 3,
          missingIndicator: false,
          clip: {},
          log: false,
          center: 5,
          scale: 5,
        },
        { kind: 'boolean', name: 'smoker', column: 'smoker' },
        { kind: 'timestamp', name: 'at', column: 'at', parts: ['hourOfDay'], cyclic: true },
        {
          kind: 'categorical',
          name: 'city',
          column: 'city',
          vocabulary: ['Rome', 'a city of a name longer than twelve bytes', 'Łódź'],
          encoding: { kind: 'oneHot' },
        },
      ],
    },
    network: network(outputs, activation, WIDTH),
    label,
    properties: {},
  });
}

const WIDTH = 11;
