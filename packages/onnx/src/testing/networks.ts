import { ACTIVATIONS, type EncoderSpec } from '@perennial/contract';
import fc from 'fast-check';
import type { NetworkGraph, NetworkInput, NetworkLayer, NetworkOperation, WeightTensor } from '../network.ts';

/** Two numbers and a category: a dense input of width 2 and the indices of one embedding feature of size 5. */
export const NETWORK_ENCODER: EncoderSpec = {
  columns: [
    { name: 'a', type: 'number' },
    { name: 'b', type: 'number' },
    { name: 'c', type: 'text' },
  ],
  features: [
    ...(['a', 'b'] as const).map((name) => ({
      kind: 'numeric' as const,
      name,
      column: name,
      impute: 0,
      missingIndicator: false,
      clip: {},
      log: false,
      center: 0,
      scale: 1,
    })),
    {
      kind: 'categorical',
      name: 'c',
      column: 'c',
      vocabulary: ['x', 'y', 'z'],
      encoding: { kind: 'embedding', dimension: 3 },
    },
  ],
};
export const NETWORK_INPUTS: NetworkInput[] = [
  { name: 'dense', kind: 'dense', width: 2 },
  { name: 'c', kind: 'indices', width: 1 },
];

/** Random weights, small enough that a deep network stays in range. */
export function weight(shape: number[], range = { min: -0.7, max: 0.7 }): fc.Arbitrary<WeightTensor> {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return fc
    .array(fc.double({ ...range, noNaN: true }), { minLength: length, maxLength: length })
    .map((data) => ({ shape, data: Float32Array.from(data) }));
}

interface Value {
  name: string;
  rank: 2 | 3;
  width: number;
}
type Step = { operation: fc.Arbitrary<NetworkOperation>; inputs: Value[]; rank: 2 | 3; width: number };

const activation = fc.constantFrom(...ACTIVATIONS);
const positive = { min: 0.1, max: 2 };

function dense(inner: number, width: number): fc.Arbitrary<NetworkOperation> {
  const required = { kind: fc.constant('dense' as const), kernel: weight([inner, width]), activation };
  return fc.oneof(fc.record(required), fc.record({ ...required, bias: weight([width]) }));
}

function normalisations(width: number): fc.Arbitrary<NetworkOperation> {
  const scale = { gamma: weight([width], positive), beta: weight([width]) };
  const epsilon = fc.constant(1e-3);
  return fc.oneof(
    fc.record(
      {
        kind: fc.constant('batchNormalization' as const),
        mean: weight([width]),
        variance: weight([width], positive),
        epsilon,
        ...scale,
      },
      { requiredKeys: ['kind', 'mean', 'variance', 'epsilon'] },
    ),
    fc.record(
      { kind: fc.constant('layerNormalization' as const), epsilon: fc.constant(0.1), ...scale },
      { requiredKeys: ['kind', 'epsilon'] },
    ),
  );
}

const activationLayer: fc.Arbitrary<NetworkOperation> = fc.oneof(
  fc.record({ kind: fc.constant('activation' as const), activation }),
  fc.record({
    kind: fc.constant('activation' as const),
    activation: fc.constantFrom('elu' as const, 'leakyRelu' as const),
    alpha: fc.double({ min: 0.05, max: 1.5, noNaN: true }),
  }),
);

/** What may come next, behind values that are there. */
function step(values: Value[]): fc.Arbitrary<Step> {
  return fc.constantFrom(...values).chain((input) => {
    const same = values.filter(({ rank }) => rank === input.rank);
    const alike = same.filter(({ width }) => width === input.width);
    const unary = { inputs: [input], rank: input.rank, width: input.width };
    const constant = (operation: NetworkOperation) => fc.constant(operation);
    return fc.oneof(
      fc
        .integer({ min: 1, max: 4 })
        .map((width) => ({ ...unary, operation: dense(input.width, width), width })),
      fc.constant({ ...unary, operation: activationLayer }),
      fc.constant({ ...unary, operation: normalisations(input.width) }),
      fc.constant({ ...unary, operation: constant({ kind: 'dropout' }) }),
      fc.constant({ ...unary, operation: constant({ kind: 'flatten' }), rank: 2 as const }),
      fc.constantFrom(...alike).map((other) => ({
        ...unary,
        inputs: [input, other],
        operation: constant({ kind: 'add' }),
      })),
      fc.constantFrom(...same).map((other) => ({
        ...unary,
        inputs: [input, other],
        width: input.width + other.width,
        operation: constant({ kind: 'concatenate' }),
      })),
    );
  });
}

interface Draft {
  layers: NetworkLayer[];
  values: Value[];
}

function grow(draft: fc.Arbitrary<Draft>, steps: number): fc.Arbitrary<Draft> {
  if (steps === 0) return draft;
  const next = draft.chain(({ layers, values }) =>
    step(values).chain(({ operation, inputs, rank, width }) =>
      operation.map((drawn) => {
        const name = `layer_${layers.length}`;
        const layer: NetworkLayer = { name, inputs: inputs.map((value) => value.name), ...drawn };
        return { layers: [...layers, layer], values: [...values, { name, rank, width }] };
      }),
    ),
  );
  return grow(next, steps - 1);
}

const start: fc.Arbitrary<Draft> = weight([5, 3]).map((table) => ({
  layers: [{ name: 'lookup', inputs: ['c'], kind: 'embedding', table }],
  values: [
    { name: 'dense', rank: 2, width: 2 },
    { name: 'lookup', rank: 3, width: 3 },
  ],
}));

/** Networks of every layer kind, as graphs that branch and join, with one number at the end. */
export const networks: fc.Arbitrary<NetworkGraph> = fc
  .integer({ min: 1, max: 9 })
  .chain((steps) => grow(start, steps))
  .chain(({ layers, values }) => {
    const last = values.at(-1) ?? { name: 'dense', width: 2, rank: 2 };
    const flat: NetworkLayer = { name: 'flat', inputs: [last.name], kind: 'flatten' };
    return weight([last.width, 1]).map((kernel) => ({
      inputs: NETWORK_INPUTS,
      layers: [
        ...layers,
        flat,
        { name: 'out', inputs: ['flat'], kind: 'dense', kernel, activation: 'linear' },
      ],
      output: 'out',
    }));
  });
