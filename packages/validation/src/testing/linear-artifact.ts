import { createHash } from 'node:crypto';
import type { DatasetManifest, FittedLabel } from '@perennial/contract';
import { writeArtifact } from '@perennial/onnx';

/** A linear model over numeric columns: per output one row of weights, in the order of the columns, and a bias. */
export interface LinearModel {
  columns: string[];
  label: FittedLabel;
  weights: number[][];
  bias?: number[];
}

export const BINARY_LABEL: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };
export const REGRESSION_LABEL: FittedLabel = { kind: 'regression', name: 'delay', center: 0, scale: 1 };

const ACTIVATION = { binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const;

/** A real artifact of a linear model. */
export function linearArtifact(model: LinearModel): { artifact: string; bytes: Uint8Array } {
  const { columns, label, weights } = model;
  const width = weights.length;
  const kernel = columns.flatMap((_, column) => weights.map((output) => output[column] ?? 0));
  const bytes = writeArtifact({
    encoder: linearEncoder(columns),
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: columns.length }],
      layers: [
        {
          name: 'output',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [columns.length, width], data: Float32Array.from(kernel) },
          bias: { shape: [width], data: Float32Array.from(model.bias ?? weights.map(() => 0)) },
          activation: ACTIVATION[label.kind],
        },
      ],
      output: 'output',
    },
    label,
    properties: {},
  });
  return { artifact: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

/** Width of the layers that a slowed model computes for nothing; a thousand rows through them cost ten times a small linear model and more. */
const SLOWING_WIDTH = 256;

/** A binary linear model that answers the same through two wide layers: x = relu(x) − relu(−x), and all other units are 0. */
export function slowedArtifact(model: LinearModel): { artifact: string; bytes: Uint8Array } {
  const { columns, label, weights } = model;
  const width = SLOWING_WIDTH;
  const first = new Float32Array(columns.length * width);
  weights[0]!.forEach((weight, column) => {
    first[column * width] = weight;
    first[column * width + 1] = -weight;
  });
  const same = new Float32Array(width * width);
  for (let unit = 0; unit < width; unit++) same[unit * width + unit] = 1;
  const dense = (name: string, input: string, kernel: { shape: [number, number]; data: Float32Array }) => ({
    name,
    inputs: [input],
    kind: 'dense' as const,
    kernel,
  });
  const bytes = writeArtifact({
    encoder: linearEncoder(columns),
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: columns.length }],
      layers: [
        { ...dense('both', 'dense', { shape: [columns.length, width], data: first }), activation: 'relu' },
        { ...dense('again', 'both', { shape: [width, width], data: same }), activation: 'relu' },
        {
          ...dense('output', 'again', {
            shape: [width, 1],
            data: Float32Array.from({ length: width }, (_, unit) => [1, -1][unit] ?? 0),
          }),
          bias: { shape: [1], data: Float32Array.from(model.bias ?? [0]) },
          activation: ACTIVATION[label.kind],
        },
      ],
      output: 'output',
    },
    label,
    properties: {},
  });
  return { artifact: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

/** Numbers as they are, 0 for a missing one. */
function linearEncoder(columns: string[]): DatasetManifest['encoder'] {
  return {
    columns: columns.map((name) => ({ name, type: 'number' })),
    features: columns.map((name) => ({
      kind: 'numeric',
      name,
      column: name,
      impute: 0,
      missingIndicator: false,
      clip: {},
      log: false,
      center: 0,
      scale: 1,
    })),
  };
}

/** The manifest of a dataset of numeric columns with a test split of so many rows. */
export function linearManifest(options: {
  columns: string[];
  label: FittedLabel;
  rows: number;
  slices?: string[];
}): DatasetManifest {
  const split = {
    digest: `sha256:${'e'.repeat(64)}`,
    rows: options.rows,
    bytes: 1_000,
    from: '2001-01-01T00:00:00Z',
    to: '2001-01-02T00:00:00Z',
  };
  return {
    format: 1,
    pipeline: 'flight-delay',
    splits: { train: split, validation: split, test: split },
    encoder: linearEncoder(options.columns),
    label: options.label,
    slices: options.slices ?? [],
  };
}
