import type { FittedFeature } from '@perennial/contract';
import type { GraphBuilder } from './graph-builder.ts';

export type BooleanFeature = Extract<FittedFeature, { kind: 'boolean' }>;

/** Columns of a block of boolean features: their values, then whether each was missing. */
export function booleanColumns(features: readonly BooleanFeature[]): string[] {
  return [...features.map(({ name }) => name), ...features.map(({ name }) => `${name}:missing`)];
}

/**
 * Writes boolean features side by side, from their raw columns (float64 `[rows, 1]`): 1 for any number but 0, 0 for 0 and where the
 * value is missing. Gives float32 tensors that together are the block's columns.
 */
export function writeBooleanBlock(graph: GraphBuilder, columns: string[]): string[] {
  const raw = graph.sideBySide(columns);
  const missing = graph.node('IsNaN', [raw]);
  const present = graph.node('Where', [missing, graph.scalar(0), raw]);
  return [graph.cast(graph.cast(present, 'bool'), 'float32'), graph.cast(missing, 'float32')];
}
