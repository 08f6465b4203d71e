import type { ColumnType, EncoderSpec } from '@perennial/contract';
import type { BorderType, GraphBuilder } from './graph-builder.ts';
import { columnInput } from './tensor-names.ts';
import { writeVocabularyLookup, type LookupColumn } from './vocabulary.ts';

/** The tensor type that a column enters a graph with. */
export const COLUMN_TENSORS: Record<ColumnType, BorderType> = {
  number: 'float64',
  boolean: 'float64',
  text: 'string',
  timestamp: 'int64',
};

/** The raw columns as inputs of a graph, and the vocabulary lookups on them, each written once however many features use it. */
export class EncoderInputs {
  readonly graph: GraphBuilder;
  readonly #columns = new Map<string, LookupColumn>();
  readonly #lookups = new Map<string, string>();

  constructor(graph: GraphBuilder, columns: EncoderSpec['columns']) {
    this.graph = graph;
    for (const { name, type } of columns) {
      this.#columns.set(name, { tensor: graph.input(columnInput(name), COLUMN_TENSORS[type]), type });
    }
  }

  column(name: string): LookupColumn {
    const column = this.#columns.get(name);
    if (column === undefined) throw new TypeError(`The encoder has no column '${name}'.`);
    return column;
  }

  /** Vocabulary indices of a column, int64 `[rows, 1]`. Hashing text is most of an encoder's time, hence the sharing. */
  vocabularyIndex(column: string, vocabulary: readonly string[]): string {
    const key = JSON.stringify([column, vocabulary]);
    const written = this.#lookups.get(key);
    if (written !== undefined) return written;
    const lookup = writeVocabularyLookup(this.graph, this.column(column), vocabulary);
    this.#lookups.set(key, lookup);
    return lookup;
  }
}
