import { describe, expect, it } from 'vitest';
import { writeArtifact, type ArtifactParts } from './artifact.ts';
import { ArtifactInvalidError } from './errors.ts';
import { modelParts } from './model-parts.ts';

/** A linear model of one column. */
function artifact(weight: number, more: Partial<ArtifactParts> = {}): Uint8Array {
  return writeArtifact({
    encoder: {
      columns: [{ name: 'age', type: 'number' }],
      features: [
        {
          kind: 'numeric',
          name: 'age',
          column: 'age',
          impute: 0,
          missingIndicator: false,
          clip: {},
          log: false,
          center: 0,
          scale: 1,
        },
      ],
    },
    label: { kind: 'regression', name: 'cost', center: 0, scale: 1 },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: 1 }],
      layers: [
        {
          name: 'answer',
          inputs: ['dense'],
          kind: 'dense',
          activation: 'linear',
          kernel: { data: Float32Array.of(weight), shape: [1, 1] },
        },
      ],
      output: 'answer',
    },
    properties: { seed: '1' },
    ...more,
  });
}

const differing = (one: Uint8Array, other: Uint8Array): string[] => {
  const [a, b] = [modelParts(one), modelParts(other)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((part) => a.get(part) !== b.get(part));
};

describe('the parts of a model', () => {
  it('are equal for equal files', () => {
    expect(differing(artifact(1), artifact(1))).toEqual([]);
  });

  it('name the weights that differ, with their type and shape', () => {
    expect(differing(artifact(1), artifact(2))).toEqual(['initializers.answer/kernel']);
    expect(modelParts(artifact(1)).get('initializers.answer/kernel')).toMatch(/^FLOAT\[1,1\], [0-9a-f]{12}$/);
  });

  it('name the metadata that differ', () => {
    const other = artifact(1, { properties: { seed: '2' } });
    expect(differing(artifact(1), other)).toEqual(['metadata.seed']);
    expect(modelParts(other).get('metadata.seed')).toBe('2');
  });

  it('are none of what is no ONNX file', () => {
    expect(() => modelParts(Buffer.from('not a model'))).toThrow(ArtifactInvalidError);
  });
});
