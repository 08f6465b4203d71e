import type { FittedFeature } from '@perennial/contract';
import type { GraphBuilder } from './graph-builder.ts';

export type NumericFeature = Extract<FittedFeature, { kind: 'numeric' }>;

/**
 * A scaled value goes no farther than this. Beyond 3.4e38 the cast to float32 would make it infinite, and the network after it would answer NaN; the
 * bound leaves it 23 orders of magnitude to grow from layer to layer.
 */
export const FARTHEST_SCALED_VALUE = 1e15;

/** Columns of a block of numeric features: their values, then the missing indicators of those that ask for one. */
export function numericColumns(features: readonly NumericFeature[]): string[] {
  const indicators = features.filter((feature) => feature.missingIndicator);
  return [...features.map(({ name }) => name), ...indicators.map(({ name }) => `${name}:missing`)];
}

/**
 * Writes numeric features side by side, from their raw columns (float64 `[rows, 1]`, in the same order); gives float32 tensors that
 * together are the block's columns. All features must agree on `log`.
 *
 * One set of nodes works on all columns at once, with a row of statistics each: a node costs about a microsecond a run, so that twenty
 * features written one by one would cost more than the network behind them.
 */
export function writeNumericBlock(
  graph: GraphBuilder,
  features: readonly NumericFeature[],
  columns: string[],
): string[] {
  const row = (read: (feature: NumericFeature) => number) =>
    graph.constant(Float64Array.from(features, read), [1, features.length]);
  const raw = graph.sideBySide(columns);
  const missing = graph.node('IsNaN', [raw]);
  let value = graph.node('Where', [missing, row((feature) => feature.impute), raw]);
  if (features.some((feature) => feature.clip.min !== undefined)) {
    value = graph.node('Max', [value, row((feature) => feature.clip.min ?? -Infinity)]);
  }
  if (features.some((feature) => feature.clip.max !== undefined)) {
    value = graph.node('Min', [value, row((feature) => feature.clip.max ?? Infinity)]);
  }
  if (features.some((feature) => feature.log)) value = writeSignedLog(graph, value);
  const centred = graph.node('Sub', [value, row((feature) => feature.center)]);
  const scaled = graph.node('Div', [centred, row((feature) => feature.scale)]);
  const bounded = graph.node('Clip', [
    scaled,
    graph.scalar(-FARTHEST_SCALED_VALUE),
    graph.scalar(FARTHEST_SCALED_VALUE),
  ]);
  return [graph.cast(bounded, 'float32'), ...writeIndicators(graph, features, missing)];
}

/** sign(x) · ln(1 + |x|). */
function writeSignedLog(graph: GraphBuilder, value: string): string {
  const shifted = graph.node('Add', [graph.node('Abs', [value]), graph.scalar(1)]);
  return graph.node('Mul', [graph.node('Sign', [value]), graph.node('Log', [shifted])]);
}

function writeIndicators(
  graph: GraphBuilder,
  features: readonly NumericFeature[],
  missing: string,
): string[] {
  const wanted = features.flatMap((feature, i) => (feature.missingIndicator ? [BigInt(i)] : []));
  if (wanted.length === 0) return [];
  if (wanted.length === features.length) return [graph.cast(missing, 'float32')];
  const positions = graph.constant(BigInt64Array.from(wanted), [wanted.length]);
  return [
    graph.cast(graph.node('Gather', [missing, positions], { attributes: { axis: { int: 1 } } }), 'float32'),
  ];
}
