import { beforeAll, describe, expect, it } from 'vitest';
import { cpuBackend } from '../backends/cpu-backend.ts';
import { BINARY, LAYOUT, mlpSpec } from '../testing/learnable-task.ts';
import { architecture } from './architecture.ts';
import { networkInputs } from './layout.ts';
import { buildMlp, type MlpSpec } from './mlp.ts';
import { networkGraph } from './network-graph.ts';

beforeAll(async () => {
  await cpuBackend.start();
});

function built(options: Partial<MlpSpec> = {}) {
  return buildMlp({ spec: mlpSpec(options), layout: LAYOUT, label: BINARY, inputs: networkInputs(LAYOUT) });
}

function weightsOf(options: Partial<MlpSpec>) {
  return built(options)
    .getWeights()
    .map((weight) => [...weight.dataSync()]);
}

describe('a multi-layer perceptron', () => {
  it('joins embeddings and float columns, and ends in a head for the label', () => {
    expect(architecture(networkGraph(built(), LAYOUT, BINARY))).toEqual([
      'embedding_place: embedding 12 × 4 ← place',
      'flatten_place: flatten ← embedding_place',
      'features: concatenate ← dense, flatten_place',
      'hidden_1: dense 7 → 16, relu ← features',
      'hidden_2: dense 16 → 8, relu ← hidden_1',
      'output: dense 8 → 1, sigmoid ← hidden_2',
    ]);
  });

  it('normalises before the activation and drops out after it', () => {
    const options = { hidden: [4], batchNormalization: true, dropout: 0.5, activation: 'leakyRelu' } as const;
    expect(architecture(networkGraph(built({ ...options, hidden: [4] }), LAYOUT, BINARY)).slice(3)).toEqual([
      'hidden_1: dense 7 → 4, linear ← features',
      'hidden_1_normalization: batch normalization ← hidden_1',
      'hidden_1_activation: leakyRelu ← hidden_1_normalization',
      'hidden_1_dropout: dropout ← hidden_1_activation',
      'output: dense 4 → 1, sigmoid ← hidden_1_dropout',
    ]);
  });

  it('may have no hidden layer: then it is linear', () => {
    expect(architecture(networkGraph(built({ hidden: [] }), LAYOUT, BINARY)).at(-1)).toBe(
      'output: dense 7 → 1, sigmoid ← features',
    );
  });

  it('begins at the same weights for the same seed, and at others for another', () => {
    expect(weightsOf({ seed: 3 })).toEqual(weightsOf({ seed: 3 }));
    expect(weightsOf({ seed: 3 })[0]).not.toEqual(weightsOf({ seed: 4 })[0]);
    expect(weightsOf({ seed: 0 })[0]).not.toEqual(weightsOf({ seed: 2 ** 31 })[0]);
  });

  it('begins layers of one shape at different weights', () => {
    const model = built({ hidden: [8, 8, 8] });
    const [second, third] = ['hidden_2', 'hidden_3'].map((name) => [
      ...model.getLayer(name).getWeights()[0]!.dataSync(),
    ]);
    expect(second).not.toEqual(third);
  });
});
