import { VOCABULARY_OFFSET, type FittedFeature } from '@perennial/contract';

/** Vocabulary index of a value that is in no vocabulary. */
const OTHER = 1;

export type EmbeddingFeature = Extract<FittedFeature, { kind: 'categorical' | 'crossed' }>;

/** A column of an embedding's feature: its entries by vocabulary index, and the other way round. */
interface KeyedColumn {
  column: string;
  vocabulary: readonly string[];
}

/**
 * For each row of a feature's embedding table, the row of an earlier table that its values used: by vocabulary entry, not by position,
 * since vocabularies change from day to day. An entry that is new was out of vocabulary then, and begins at that row, so that the network
 * goes on answering as before. `null` where the two tables have nothing to do with each other.
 */
export function earlierRows(feature: EmbeddingFeature, earlier: EmbeddingFeature): Int32Array | null {
  const columns = columnsOf(feature);
  const before = columnsOf(earlier);
  if (columns.length !== before.length || columns.some(({ column }, i) => column !== before[i]!.column))
    return null;
  const buckets = bucketsOf(feature);
  if (buckets !== bucketsOf(earlier)) return null;
  // The hash goes by an entry's text and the number of buckets, so combinations of old entries stay in their buckets.
  if (buckets !== null) return Int32Array.from({ length: buckets }, (_, bucket) => bucket);
  return exactRows(columns, before);
}

function columnsOf(feature: EmbeddingFeature): KeyedColumn[] {
  return feature.kind === 'categorical' ? [feature] : feature.columns;
}

/** Number of buckets where combinations are hashed, `null` where each has an index of its own. */
function bucketsOf(feature: EmbeddingFeature): number | null {
  if (feature.kind === 'categorical') return null;
  return combinations(feature.columns) > feature.buckets ? feature.buckets : null;
}

function combinations(columns: readonly KeyedColumn[]): number {
  return columns.reduce((product, { vocabulary }) => product * size(vocabulary), 1);
}

function size(vocabulary: readonly string[]): number {
  return vocabulary.length + VOCABULARY_OFFSET;
}

/** Combinations count in mixed radix, the last column fastest, as the encoder numbers them. */
function exactRows(columns: KeyedColumn[], before: KeyedColumn[]): Int32Array {
  let rows = Int32Array.of(0);
  columns.forEach(({ vocabulary }, i) => {
    const earlier = earlierIndices(vocabulary, before[i]!.vocabulary);
    const radix = size(before[i]!.vocabulary);
    const next = new Int32Array(rows.length * earlier.length);
    rows.forEach((row, r) => {
      earlier.forEach((index, e) => {
        next[r * earlier.length + e] = row * radix + index;
      });
    });
    rows = next;
  });
  return rows;
}

function earlierIndices(vocabulary: readonly string[], before: readonly string[]): number[] {
  const positions = new Map(before.map((entry, i) => [entry, i + VOCABULARY_OFFSET]));
  const reserved = Array.from({ length: VOCABULARY_OFFSET }, (_, i) => i);
  return [...reserved, ...vocabulary.map((entry) => positions.get(entry) ?? OTHER)];
}
