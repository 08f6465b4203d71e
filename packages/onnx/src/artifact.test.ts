import type { EncoderSpec, FittedLabel } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact, type ArtifactParts } from './artifact.ts';
import { readEncoder, writeEncoder } from './encoder-file.ts';
import { ArtifactInvalidError } from './errors.ts';
import { InferenceModel } from './inference-model.ts';
import type { WeightTensor } from './network.ts';
import { encoderSpecs } from './testing/arbitraries.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS, networks } from './testing/networks.ts';

const kernel: WeightTensor = { shape: [2, 1], data: Float32Array.of(0.5, -1) };
const parts: ArtifactParts = {
  encoder: NETWORK_ENCODER,
  network: {
    inputs: NETWORK_INPUTS,
    layers: [{ name: 'out', inputs: ['dense'], kind: 'dense', kernel, activation: 'sigmoid' }],
    output: 'out',
  },
  label: { kind: 'binary', name: 'late', threshold: 0.25 },
  properties: { pipeline: 'flight-delay', run: 'run_1' },
};

/** The same value with the keys of every object the other way round. */
function reversed<Value>(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(reversed) as Value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)] as const);
  return Object.fromEntries(entries.reverse()) as Value;
}

describe('writeEncoder', () => {
  it('writes equal bytes for equal specs, whatever the order of their keys', () => {
    fc.assert(
      fc.property(encoderSpecs, (spec) => {
        const bytes = writeEncoder(spec);
        expect(Buffer.compare(writeEncoder(reversed(structuredClone(spec))), bytes)).toBe(0);
        const read = readEncoder(bytes);
        expect(read).toEqual(JSON.parse(JSON.stringify(spec)));
        expect(Buffer.compare(writeEncoder(read), bytes)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  const column = (type: EncoderSpec['columns'][number]['type']) => [{ name: 'x', type }];
  const category = (vocabulary: string[]) => [
    {
      kind: 'categorical' as const,
      name: 'f',
      column: 'x',
      vocabulary,
      encoding: { kind: 'oneHot' as const },
    },
  ];
  const numeric = {
    kind: 'numeric' as const,
    name: 'f',
    column: 'x',
    impute: 0,
    missingIndicator: false,
    clip: {},
    log: false,
    center: 0,
    scale: 1,
  };
  const bad: [string, EncoderSpec, string][] = [
    ['no features', { columns: column('text'), features: [] }, "the encoder's features is wrong"],
    [
      'a scale of zero',
      { columns: column('number'), features: [{ ...numeric, scale: 0 }] },
      "the encoder's features.0.scale is wrong",
    ],
    [
      'a mean that is not a number',
      { columns: column('number'), features: [{ ...numeric, center: NaN }] },
      "the encoder's features.0.center is wrong",
    ],
    [
      'a numeric feature over text',
      { columns: column('text'), features: [numeric] },
      "the numeric feature 'f' cannot read the column 'x' of type text (it reads number, boolean)",
    ],
    [
      'a category of timestamps',
      { columns: column('timestamp'), features: category(['1']) },
      "the categorical feature 'f' cannot read the column 'x' of type timestamp",
    ],
    [
      'a column that is not there',
      { columns: [{ name: 'y', type: 'number' }], features: [numeric] },
      "the feature 'f' reads the column 'x', which is not among the inputs",
    ],
    [
      'a repeated entry',
      { columns: column('text'), features: category(['a', 'b', 'a']) },
      "the vocabulary of the feature 'f' holds 'a' twice",
    ],
    [
      'an empty entry',
      { columns: column('text'), features: category(['a', '']) },
      "the vocabulary of the feature 'f' holds the empty text",
    ],
    [
      'two features of one name',
      { columns: column('number'), features: [numeric, numeric] },
      "the feature 'f' is given twice",
    ],
    [
      'two columns of one name',
      { columns: [...column('number'), ...column('text')], features: [numeric] },
      "the column 'x' is given twice",
    ],
  ];
  it.each(bad)('refuses %s', (_, spec, message) => {
    expect(() => writeEncoder(spec)).toThrow(ArtifactInvalidError);
    expect(() => writeEncoder(spec)).toThrow(message);
  });
});

describe('writeArtifact', () => {
  it('writes equal bytes for equal parts, whatever the order of their keys', () => {
    const bytes = writeArtifact(parts);
    const { network, ...rest } = parts;
    expect(writeArtifact({ ...reversed(rest), network })).toEqual(bytes);
    expect(writeArtifact({ ...parts, properties: { pipeline: 'other', run: 'run_1' } })).not.toEqual(bytes);
  });

  it('refuses a property that could pass for its own metadata', () => {
    expect(() => writeArtifact({ ...parts, properties: { 'perennial.label': '{}' } })).toThrow(
      "the property 'perennial.label' is reserved",
    );
  });

  it('refuses a label whose classes repeat', () => {
    const label: FittedLabel = { kind: 'multiclass', name: 'y', classes: ['a', 'a'] };
    expect(() => writeArtifact({ ...parts, label })).toThrow('its label names a class twice');
  });
});

describe('readArtifact', () => {
  it('reads the same weights from a Buffer, as files are read, as from plain bytes', () => {
    const bytes = writeArtifact(parts);
    expect(readArtifact(Buffer.from(bytes)).weights).toEqual(readArtifact(bytes).weights);
  });

  it('gives back what was written', () => {
    const artifact = readArtifact(writeArtifact(parts));
    expect(artifact).toEqual({
      signature: { inputs: NETWORK_ENCODER.columns, output: { kind: 'binary', threshold: 0.25 } },
      encoder: parts.encoder,
      label: parts.label,
      calibration: null,
      properties: parts.properties,
      weights: new Map([['out/kernel', kernel]]),
    });
  });

  it('gives back the weights of any network', () => {
    const label: FittedLabel = { kind: 'regression', name: 'y', center: 0, scale: 1 };
    fc.assert(
      fc.property(networks, (network) => {
        const { weights } = readArtifact(writeArtifact({ ...parts, network, label }));
        const expected = network.layers.flatMap((layer) =>
          Object.entries(layer).flatMap(([role, value]) =>
            typeof value === 'object' && 'data' in value ? [[`${layer.name}/${role}`, value] as const] : [],
          ),
        );
        expect(weights).toEqual(new Map(expected));
      }),
      { numRuns: 50 },
    );
  });

  it('says of any bytes that they are no artifact', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readArtifact(bytes)).toThrow(ArtifactInvalidError);
      }),
    );
  });

  it('says so of an artifact that is cut off anywhere', async () => {
    const bytes = writeArtifact(parts);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readArtifact(bytes.subarray(0, length))).toThrow(ArtifactInvalidError);
    }
    await expect(InferenceModel.load(bytes.subarray(0, bytes.length >> 1))).rejects.toThrow(
      ArtifactInvalidError,
    );
  });

  it('fails in no other way when any byte is changed', () => {
    const bytes = writeArtifact(parts);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const changed = Uint8Array.from(bytes);
        changed[position] = (changed[position] ?? 0) ^ change;
        try {
          expect(readArtifact(changed).signature.inputs).toEqual(NETWORK_ENCODER.columns);
        } catch (error) {
          expect(error).toBeInstanceOf(ArtifactInvalidError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('tells an encoder from an artifact', () => {
    expect(() => readArtifact(writeEncoder(NETWORK_ENCODER))).toThrow('it is an encoder, not an artifact');
    expect(() => readEncoder(writeArtifact(parts))).toThrow('it is an artifact, not an encoder');
  });
});
