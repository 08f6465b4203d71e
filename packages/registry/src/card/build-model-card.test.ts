import { modelCardSchema } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { buildModelCard } from './build-model-card.ts';
import { samplePartsOfCard } from '../testing/sample-card.ts';

describe('buildModelCard', () => {
  it('makes a card of the contract from what the steps left behind', () => {
    const parts = samplePartsOfCard();
    const card = buildModelCard(parts);
    expect(modelCardSchema.parse(JSON.parse(JSON.stringify(card)))).toEqual(card);
    expect(card).toMatchObject({
      model: 'flight-delay',
      version: 7,
      createdAt: '2001-02-01T03:00:05.000Z',
      data: {
        rows: { train: 460_000, validation: 33_000, test: 16_512 },
        quarantined: 12,
        from: '2001-01-01T00:00:00.000Z',
        to: '2001-02-01T00:00:00.000Z',
      },
      training: { backend: 'wasm', spec: { kind: 'mlp' } },
      gate: { verdict: 'pass' },
    });
  });

  it('leaves empty what the author did not say', () => {
    const parts = samplePartsOfCard();
    delete parts.spec.description;
    delete parts.spec.intendedUse;
    parts.spec.owners = [];
    expect(buildModelCard(parts).overview).toMatchObject({ description: '', intendedUse: '', owners: [] });
  });
});
