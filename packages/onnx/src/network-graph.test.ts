import { ACTIVATIONS } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeArtifact } from './artifact.ts';
import { ArtifactInvalidError, UnsupportedLayerError } from './errors.ts';
import { InferenceModel } from './inference-model.ts';
import type { NetworkGraph, NetworkLayer, WeightTensor } from './network.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS, networks } from './testing/networks.ts';
import { referenceActivation, referenceForward } from './testing/reference-network.ts';

const ROWS = [
  { a: 0, b: 0, c: '' },
  { a: 1.5, b: -2, c: 'x' },
  { a: -0.25, b: 3, c: 'z' },
  { a: 2, b: 0.5, c: 'unheard of' },
];
const INDEX: Record<string, number> = { '': 0, x: 2, y: 3, z: 4 };
const batch = {
  rows: ROWS.length,
  columns: {
    a: Float64Array.from(ROWS, ({ a }) => a),
    b: Float64Array.from(ROWS, ({ b }) => b),
    c: ROWS.map(({ c }) => c),
  },
};

const regression = { kind: 'regression' as const, name: 'y', center: 0, scale: 1 };
const matrix = (shape: number[], data: number[]): WeightTensor => ({ shape, data: Float32Array.from(data) });

function writeNetwork(network: NetworkGraph): Uint8Array {
  return writeArtifact({ encoder: NETWORK_ENCODER, network, label: regression, properties: {} });
}

/** A network of these layers, the last of them its output. */
function chain(...layers: NetworkLayer[]): NetworkGraph {
  return { inputs: NETWORK_INPUTS, layers, output: layers.at(-1)?.name ?? 'dense' };
}
const sum: NetworkLayer = {
  name: 'sum',
  inputs: ['dense'],
  kind: 'dense',
  kernel: matrix([2, 1], [1, 1]),
  activation: 'linear',
};

describe('the network in an artifact', () => {
  it('answers as a plain forward pass does, for any layers', async () => {
    await fc.assert(
      fc.asyncProperty(networks, async (network) => {
        const model = await InferenceModel.load(writeNetwork(network));
        const output = await model.run(batch);
        await model.release();
        const found = output.kind === 'regression' ? [...output.value] : [];
        const expected = ROWS.map(({ a, b, c }) => {
          const inputs = new Map([
            ['dense', [a, b]],
            ['c', [INDEX[c] ?? 1]],
          ]);
          return referenceForward(network, inputs)[0] ?? NaN;
        });
        const apart = found.filter((value, i) => {
          const wanted = expected[i] ?? NaN;
          return !(Math.abs(value - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)));
        });
        expect({ apart, expected, found }).toEqual({ apart: [], expected, found });
        expect(found).toHaveLength(ROWS.length);
      }),
      { numRuns: 200 },
    );
  });

  it.each(ACTIVATIONS)('computes %s by the formula of TensorFlow.js', async (activation) => {
    const points = Array.from({ length: 81 }, (_, i) => -10 + i / 4);
    const layers: NetworkLayer[] = [
      { name: 'activated', inputs: ['dense'], kind: 'activation', activation },
      { ...sum, inputs: ['activated'], kernel: matrix([2, 1], [1, 0]) },
    ];
    const model = await InferenceModel.load(writeNetwork(chain(...layers)));
    const output = await model.run({
      rows: points.length,
      columns: {
        a: Float64Array.from(points),
        b: new Float64Array(points.length).fill(0.5),
        c: points.map(() => ''),
      },
    });
    await model.release();
    const expected = points.map((x) => referenceActivation([x, 0.5], activation)[0] ?? NaN);
    const found = output.kind === 'regression' ? [...output.value] : [];
    const farthest = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN))));
    expect(farthest).toBeLessThan(1e-5);
  });

  it('answers infinite numbers with finite ones, since the encoder bounds them', async () => {
    const model = await InferenceModel.load(writeNetwork(chain(sum)));
    const columns = {
      a: Float64Array.of(Infinity, Infinity, 1e300),
      b: Float64Array.of(-Infinity, 0, 0),
      c: ['', '', ''],
    };
    const output = await model.run({ rows: 3, columns });
    await model.release();
    expect(output).toEqual({ kind: 'regression', value: Float32Array.of(0, 1e15, 1e15) });
  });

  const bad: [string, NetworkGraph, string][] = [
    [
      'a kernel that does not fit its input',
      chain({ ...sum, kernel: matrix([3, 1], [1, 1, 1]) }),
      "Layer 'sum' is not supported: its kernel is [3, 1] behind an input 2 wide.",
    ],
    [
      'weights fewer than their shape says',
      chain({ ...sum, kernel: matrix([2, 1], [1]) }),
      "Layer 'sum' is not supported: its kernel is [2, 1] with 1 numbers, not [2, 1].",
    ],
    [
      'an embedding of floats',
      chain({ name: 'e', inputs: ['dense'], kind: 'embedding', table: matrix([5, 1], [1, 2, 3, 4, 5]) }),
      "Layer 'e' is not supported: an embedding reads the indices of one feature.",
    ],
    [
      'an embedding table smaller than its vocabulary',
      chain({ name: 'e', inputs: ['c'], kind: 'embedding', table: matrix([4, 1], [1, 2, 3, 4]) }),
      "Layer 'e' is not supported: its table is [4, 1] for 5 indices.",
    ],
    [
      'indices where floats belong',
      chain({ ...sum, inputs: ['c'] }),
      "Layer 'sum' is not supported: dense cannot read indices; an embedding can.",
    ],
    [
      'an output that is not flat',
      chain({ name: 'e', inputs: ['c'], kind: 'embedding', table: matrix([5, 1], [1, 2, 3, 4, 5]) }),
      "Layer 'e' is not supported: an output must be [rows, width].",
    ],
    [
      'a sum of different widths',
      chain(sum, { name: 'both', inputs: ['dense', 'sum'], kind: 'add' }),
      "Layer 'both' is not supported: it adds inputs of different widths (2, 1).",
    ],
    [
      'a concatenation of different ranks',
      chain(
        { name: 'e', inputs: ['c'], kind: 'embedding', table: matrix([5, 1], [1, 2, 3, 4, 5]) },
        { name: 'both', inputs: ['dense', 'e'], kind: 'concatenate' },
      ),
      "Layer 'both' is not supported: its inputs differ in rank; a flatten is missing.",
    ],
    [
      'a concatenation of nothing',
      chain({ name: 'none', inputs: [], kind: 'concatenate' }),
      "Layer 'none' is not supported: concatenate has no input.",
    ],
    [
      'two inputs where a layer has one',
      chain({ name: 'drop', inputs: ['dense', 'dense'], kind: 'dropout' }),
      "Layer 'drop' is not supported: dropout has one input, not 2.",
    ],
    [
      'an alpha that the activation does not have',
      chain({ name: 'act', inputs: ['dense'], kind: 'activation', activation: 'relu', alpha: 0.1 }),
      "Layer 'act' is not supported: the activation relu takes no alpha.",
    ],
    [
      "a name of the writer's own",
      chain({ ...sum, name: '#sum' }),
      "Layer '#sum' is not supported: a name may not be empty or begin with #.",
    ],
  ];
  it.each(bad)('refuses %s, by name', (_, network, message) => {
    expect(() => writeNetwork(network)).toThrow(UnsupportedLayerError);
    expect(() => writeNetwork(network)).toThrow(message);
  });

  const contradictory: [string, NetworkGraph, string][] = [
    [
      'a layer that comes later',
      chain({ ...sum, inputs: ['next'] }),
      "the layer 'sum' reads 'next', which is not before it",
    ],
    ['two layers of one name', chain(sum, sum), "the network has two layers named 'sum'"],
    ['an output that is no layer', { ...chain(sum), output: 'end' }, "the network's output reads 'end'"],
    [
      'a dense input of another width',
      { ...chain(sum), inputs: [{ name: 'dense', kind: 'dense', width: 3 }] },
      'the network reads 3 dense columns where the encoder has 2',
    ],
    [
      'indices that the encoder does not give',
      { ...chain(sum), inputs: [...NETWORK_INPUTS, { name: 'a', kind: 'indices', width: 1 }] },
      "the network reads the indices of 'a', which is no embedding feature",
    ],
    [
      'an output wider than the label',
      chain({ name: 'drop', inputs: ['dense'], kind: 'dropout' }),
      'a regression label needs a network whose output is 1 wide, not 2',
    ],
  ];
  it.each(contradictory)('refuses %s', (_, network, message) => {
    expect(() => writeNetwork(network)).toThrow(ArtifactInvalidError);
    expect(() => writeNetwork(network)).toThrow(message);
  });
});
