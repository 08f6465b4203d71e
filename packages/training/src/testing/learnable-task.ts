import type { FittedLabel, NetworkTrainSpec } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import { emptyRows, type EncodedRows } from '../fit/encoded-rows.ts';
import type { FitTask } from '../fit/fit.ts';
import { RandomStream } from '../fit/random.ts';
import { networkInputs } from '../network/layout.ts';
import { buildMlp, type MlpSpec } from '../network/mlp.ts';

export const LAYOUT: EncoderLayout = {
  denseWidth: 3,
  denseColumns: ['a', 'b', 'c'],
  embeddings: [{ feature: 'place', size: 12, dimension: 4 }],
};
export const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.5 };

export function mlpSpec(options: Partial<MlpSpec> = {}): MlpSpec {
  return {
    kind: 'mlp',
    hidden: [16, 8],
    activation: 'relu',
    dropout: 0,
    batchNormalization: false,
    epochs: 3,
    batchSize: 64,
    learningRate: 0.01,
    optimizer: 'adam',
    calibration: 'none',
    seed: 1,
    timeout: '1m',
    ...options,
  };
}

/** Rows whose label follows from one dense column and the place, but for some noise. */
export function learnableRows(rows: number, seed: number, label: FittedLabel = BINARY): EncodedRows {
  const random = new RandomStream(seed);
  const encoded = emptyRows(rows, LAYOUT.denseWidth, ['place']);
  const places = encoded.indices.get('place')!;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < 3; column++) encoded.dense[row * 3 + column] = random.float() * 2 - 1;
    places[row] = random.below(12);
    const score = encoded.dense[row * 3]! + (places[row]! % 3) - 1 + (random.float() - 0.5) * 0.2;
    encoded.targets[row] = target(score, label);
  }
  return encoded;
}

function target(score: number, label: FittedLabel): number {
  switch (label.kind) {
    case 'binary':
      return score > 0 ? 1 : 0;
    case 'regression':
      return score;
    case 'multiclass':
      return Math.min(label.classes.length - 1, Math.max(0, Math.round(score + 1)));
  }
}

/** A network and data on which a few epochs visibly lower the loss. */
export function learnableTask(
  options: Partial<MlpSpec> = {},
  label: FittedLabel = BINARY,
): FitTask & { spec: NetworkTrainSpec } {
  const spec = mlpSpec(options);
  const inputs = networkInputs(LAYOUT);
  return {
    model: buildMlp({ spec, layout: LAYOUT, label, inputs }),
    spec,
    epochs: spec.epochs,
    label,
    inputs: [...inputs.keys()],
    train: learnableRows(1000, 1, label),
    validation: learnableRows(300, 2, label),
  };
}
