import { VOCABULARY_OFFSET, type ColumnType } from '@perennial/contract';
import { ML_DOMAIN, type GraphBuilder } from './graph-builder.ts';

/** Index of a missing value, and of one that is in no vocabulary. */
export const MISSING_INDEX = 0;
export const OTHER_INDEX = 1;

/** Indices that a vocabulary gives: 0 (missing), 1 (out of vocabulary), then one for each entry. */
export function vocabularySize(vocabulary: readonly string[]): number {
  return vocabulary.length + VOCABULARY_OFFSET;
}

/** What a vocabulary is looked up for: a raw column of shape `[rows, 1]`, by its tensor's name. */
export interface LookupColumn {
  tensor: string;
  type: ColumnType;
}

/** Writes the nodes that turn a column of text, numbers or booleans into vocabulary indices, int64 `[rows, 1]`; gives their tensor. */
export function writeVocabularyLookup(
  graph: GraphBuilder,
  column: LookupColumn,
  vocabulary: readonly string[],
): string {
  return column.type === 'text'
    ? writeTextLookup(graph, column.tensor, vocabulary)
    : writeNumberLookup(graph, column, vocabulary);
}

function writeTextLookup(graph: GraphBuilder, tensor: string, vocabulary: readonly string[]): string {
  return graph.node('LabelEncoder', [tensor], {
    domain: ML_DOMAIN,
    attributes: {
      keys_strings: { strings: ['', ...vocabulary] },
      values_int64s: { ints: [MISSING_INDEX, ...vocabulary.map((_, i) => i + VOCABULARY_OFFSET)] },
      default_int64: { int: OTHER_INDEX },
    },
  });
}

function writeNumberLookup(graph: GraphBuilder, column: LookupColumn, vocabulary: readonly string[]): string {
  const { keys, indices } = numberKeys(column.type, vocabulary);
  const missing = graph.node('IsNaN', [column.tensor]);
  const missingIndex = graph.scalar(BigInt(MISSING_INDEX));
  const other = BigInt64Array.of(BigInt(OTHER_INDEX));
  if (keys.length === 0) return graph.node('Where', [missing, missingIndex, graph.constant(other, [])]);
  // Doubles as keys came with version 4 of LabelEncoder. They compare as numbers, so no runtime's way of printing them matters.
  const found = graph.node('LabelEncoder', [column.tensor], {
    domain: ML_DOMAIN,
    attributes: {
      keys_tensor: { tensor: { data: Float64Array.from(keys), shape: [keys.length] } },
      values_tensor: { tensor: { data: BigInt64Array.from(indices, BigInt), shape: [indices.length] } },
      default_tensor: { tensor: { data: other, shape: [1] } },
    },
  });
  return graph.node('Where', [missing, missingIndex, found]);
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The number that an entry spells: the one whose `String()` it is, and for entries that no number prints as (`5.0`) the one they are
 * read as. Undefined where the entry is no number, and so never found.
 */
export function entryNumber(type: ColumnType, entry: string): number | undefined {
  if (type === 'boolean') return entry === 'true' ? 1 : entry === 'false' ? 0 : undefined;
  if (DECIMAL.test(entry) || entry === 'Infinity' || entry === '-Infinity') return Number(entry);
  return undefined;
}

function numberKeys(type: ColumnType, vocabulary: readonly string[]) {
  const indexOf = new Map<number, number>();
  vocabulary.forEach((entry, i) => {
    const key = entryNumber(type, entry);
    if (key === undefined) return;
    // '5' and '5.0' are one number: the entry that String() would print wins, otherwise the first.
    if (!indexOf.has(key) || String(key) === entry) indexOf.set(key, i + VOCABULARY_OFFSET);
  });
  return { keys: [...indexOf.keys()], indices: [...indexOf.values()] };
}
