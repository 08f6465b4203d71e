import type { FittedFeature } from '@perennial/contract';
import { crossedSize, writeCrossing, type CrossedFeature } from './crossing.ts';
import type { EncoderInputs } from './encoder-inputs.ts';
import { vocabularySize } from './vocabulary.ts';

/** The features that become an index. */
export type CategoryFeature = Extract<FittedFeature, { kind: 'categorical' }> | CrossedFeature;

/** Number of indices that the feature gives. */
export function categorySize(feature: CategoryFeature): number {
  return feature.kind === 'categorical' ? vocabularySize(feature.vocabulary) : crossedSize(feature);
}

/** What each column of a one-hot category is. */
export function categoryColumns(feature: CategoryFeature): string[] {
  if (feature.kind === 'crossed') {
    return Array.from({ length: crossedSize(feature) }, (_, i) => `${feature.name}=${i}`);
  }
  const entries = feature.vocabulary.map((entry) => `${feature.name}=${entry}`);
  return [`${feature.name}:missing`, `${feature.name}:other`, ...entries];
}

/** Writes the feature's index, int64 `[rows, 1]`. */
export function writeCategoryIndex(inputs: EncoderInputs, feature: CategoryFeature): string {
  if (feature.kind === 'categorical') return inputs.vocabularyIndex(feature.column, feature.vocabulary);
  const indices = feature.columns.map(({ column, vocabulary }) => inputs.vocabularyIndex(column, vocabulary));
  return writeCrossing(inputs.graph, feature, indices);
}

/** Writes the feature as one column per index, float32 `[rows, size]`. */
export function writeOneHot(inputs: EncoderInputs, feature: CategoryFeature): string {
  const { graph } = inputs;
  const size = BigInt(categorySize(feature));
  const offAndOn = graph.constant(Float32Array.of(0, 1), [2]);
  const oneHot = graph.node('OneHot', [writeCategoryIndex(inputs, feature), graph.scalar(size), offAndOn]);
  // [rows, 1, size] to [rows, size]; 0 keeps the number of rows, of which there may be none.
  return graph.node('Reshape', [oneHot, graph.constant(BigInt64Array.of(0n, size), [2])]);
}
