import { Encoder } from '@perennial/onnx';
import type { EncoderSpec } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earlierRows, type EmbeddingFeature } from './table-rows.ts';

const encoding = { kind: 'embedding', dimension: 2 } as const;
const COLUMNS: EncoderSpec['columns'] = [
  { name: 'origin', type: 'text' },
  { name: 'destination', type: 'text' },
];

function origin(vocabulary: string[]): EmbeddingFeature {
  return { kind: 'categorical', name: 'origin', column: 'origin', vocabulary, encoding };
}

function route(origins: string[], destinations: string[], buckets: number): EmbeddingFeature {
  const columns = [
    { column: 'origin', vocabulary: origins },
    { column: 'destination', vocabulary: destinations },
  ];
  return { kind: 'crossed', name: 'route', columns, buckets, encoding };
}

describe('the rows of an embedding table', () => {
  it('are found by entry when the vocabulary has another order', () => {
    expect([...earlierRows(origin(['ORD', 'LAX']), origin(['LAX', 'ORD']))!]).toEqual([0, 1, 3, 2]);
  });

  it('begin at the out-of-vocabulary row for an entry that is new', () => {
    expect([...earlierRows(origin(['NEW', 'LAX']), origin(['LAX']))!]).toEqual([0, 1, 1, 2]);
  });

  it('stay in their buckets where combinations are hashed', () => {
    expect([...earlierRows(route(['a', 'b'], ['c'], 5), route(['b', 'x', 'a'], ['c'], 5))!]).toEqual([
      0, 1, 2, 3, 4,
    ]);
  });

  it('have nothing in common when the buckets, the hashing or the columns changed', () => {
    expect(earlierRows(route(['a', 'b'], ['c'], 5), route(['a', 'b'], ['c'], 6))).toBeNull();
    expect(earlierRows(route(['a'], ['c'], 12), route(['a', 'b'], ['c'], 12))).not.toBeNull();
    expect(earlierRows(route(['a'], ['c'], 9), route(['a', 'b'], ['c'], 9))).toBeNull();
    const other: EmbeddingFeature = {
      ...origin(['a']),
      kind: 'categorical',
      name: 'origin',
      column: 'destination',
      vocabulary: ['a'],
      encoding,
    };
    expect(earlierRows(origin(['a']), other)).toBeNull();
  });

  it('are those that the earlier encoder used, for any vocabularies', async () => {
    const entries = ['', 'a', 'b', 'c', 'd'];
    const vocabulary = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
    const sets = fc.tuple(vocabulary, vocabulary, vocabulary, vocabulary);
    await fc.assert(
      fc.asyncProperty(sets, fc.constantFrom(1000, 9), async ([o1, d1, o2, d2], buckets) => {
        const now = route(o2, d2, buckets);
        const before = route(o1, d1, buckets);
        const rows = earlierRows(now, before);
        // Only for a combination of entries that were known then is there one row that is the same by hash or by number.
        const pairs = entries.flatMap((from) => entries.map((to) => [from, to] as const));
        const known = pairs.filter(([from, to]) => isKnown(from, o1, o2) && isKnown(to, d1, d2));
        const batch = {
          rows: known.length,
          columns: { origin: known.map(([from]) => from), destination: known.map(([, to]) => to) },
        };
        const [nowIndices, beforeIndices] = await Promise.all(
          [now, before].map((feature) => indicesOf(feature, batch)),
        );
        if (rows === null) return;
        expect(nowIndices!.map((index) => rows[index])).toEqual(beforeIndices);
      }),
      { numRuns: 25 },
    );
  });
});

function isKnown(entry: string, ...vocabularies: string[][]): boolean {
  return entry === '' || vocabularies.every((vocabulary) => vocabulary.includes(entry));
}

async function indicesOf(
  feature: EmbeddingFeature,
  batch: Parameters<Encoder['encode']>[0],
): Promise<number[]> {
  const encoder = await Encoder.create({ columns: COLUMNS, features: [feature] });
  const { indices } = await encoder.encode(batch);
  await encoder.release();
  return [...indices['route']!].map(Number);
}
