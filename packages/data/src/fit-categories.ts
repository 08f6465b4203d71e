import {
  VOCABULARY_OFFSET,
  type CategoryEncoding,
  type FeatureSpec,
  type FittedFeature,
} from '@perennial/contract';
import { embeddingDimension, vocabularyOf, type ValueCounts } from './vocabulary.ts';

type CategoricalSpec = Extract<FeatureSpec, { kind: 'categorical' }>;
type CrossedSpec = Extract<FeatureSpec, { kind: 'crossed' }>;
type FittedEncoding = Extract<FittedFeature, { kind: 'categorical' }>['encoding'];

/** Most entries that a crossed feature's column may have; a categorical one says its own. */
export const CROSSED_MAX_SIZE = 1_000_000;

/** How often the values of a column occur in the training rows. */
export type CountsOf = (column: string) => ValueCounts;

export function fitCategorical(name: string, spec: CategoricalSpec, countsOf: CountsOf): FittedFeature {
  const vocabulary = vocabularyOf(countsOf(spec.column), spec);
  const entries = vocabulary.length + VOCABULARY_OFFSET;
  return {
    kind: 'categorical',
    name,
    column: spec.column,
    vocabulary,
    encoding: fittedEncoding(spec.encoding, entries),
  };
}

export function fitCrossed(name: string, spec: CrossedSpec, countsOf: CountsOf): FittedFeature {
  const limits = { minCount: spec.minCount, maxSize: CROSSED_MAX_SIZE };
  const columns = spec.columns.map((column) => ({
    column,
    vocabulary: vocabularyOf(countsOf(column), limits),
  }));
  const combinations = columns.reduce(
    (product, { vocabulary }) => product * (vocabulary.length + VOCABULARY_OFFSET),
    1,
  );
  const encoding = fittedEncoding(spec.encoding, Math.min(combinations, spec.buckets));
  return { kind: 'crossed', name, columns, buckets: spec.buckets, encoding };
}

function fittedEncoding(encoding: CategoryEncoding, entries: number): FittedEncoding {
  if (encoding.kind === 'oneHot') return { kind: 'oneHot' };
  return { kind: 'embedding', dimension: encoding.dimension ?? embeddingDimension(entries) };
}
