import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketShares, crossedSize, isHashed, type CrossedFeature } from './crossing.ts';

function crossed(vocabularies: string[][], buckets: number): CrossedFeature {
  const columns = vocabularies.map((vocabulary, i) => ({ column: `c${i}`, vocabulary }));
  return { kind: 'crossed', name: 'route', columns, buckets, encoding: { kind: 'oneHot' } };
}

describe('crossed features', () => {
  it('are exact as long as every combination has a bucket', () => {
    expect(crossedSize(crossed([['a'], ['x', 'y']], 12))).toBe(12);
    expect(isHashed(crossed([['a'], ['x', 'y']], 12))).toBe(false);
    expect(isHashed(crossed([['a'], ['x', 'y']], 11))).toBe(true);
    expect(crossedSize(crossed([['a'], ['x', 'y']], 11))).toBe(11);
  });

  it('keep an entry in its place when the vocabulary grows around it', () => {
    const entries = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(entries, fc.nat(), (vocabulary, at) => {
        const kept = vocabulary.filter((_, i) => i !== at % vocabulary.length);
        const before = bucketShares(crossed([kept, []], 4096), 0);
        const after = bucketShares(crossed([vocabulary, []], 4096), 0);
        const shareOf = (entry: string) => after[vocabulary.indexOf(entry) + 2];
        expect(kept.map(shareOf)).toEqual(before.slice(2));
        expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
      }),
    );
  });

  it('hash as they did when the first artifacts were written', () => {
    // A change here would scatter the weights that a warm start takes from yesterday's artifact.
    const feature = crossed([['ORD', 'MDW'], ['ORD']], 4096);
    expect([bucketShares(feature, 0), bucketShares(feature, 1)]).toMatchInlineSnapshot(`
      [
        [
          1613,
          1431,
          1531,
          1043,
        ],
        [
          3588,
          2275,
          1414,
        ],
      ]
    `);
  });

  it('spread combinations over the buckets evenly', () => {
    const airports = Array.from({ length: 200 }, (_, i) => `airport ${i}`);
    const feature = crossed([airports, airports], 1024);
    const [origins, destinations] = [bucketShares(feature, 0), bucketShares(feature, 1)];
    const counts = new Array<number>(1024).fill(0);
    for (const origin of origins) {
      for (const destination of destinations) {
        const bucket = (origin + destination) % 1024;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
    }
    const mean = (origins.length * destinations.length) / 1024;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 1024;
    // Of independent throws the variance would be the mean.
    expect(variance / mean).toBeLessThan(1.5);
  });
});
