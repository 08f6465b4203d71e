import type { BinaryRows, MulticlassRows } from '../scoring/scored-rows.ts';
import { MeanMetric } from './mean-metric.ts';

/**
 * Least probability that is taken of an outcome that happened. Below it the loss of a single row that was held impossible would be
 * infinite and hide all others; with it that row costs 34.5.
 */
export const LEAST_PROBABILITY = 1e-15;

/** Mean of −ln(probability of what happened), probabilities clipped to at least {@link LEAST_PROBABILITY}. */
export function logLossMetric(rows: BinaryRows | MulticlassRows): MeanMetric {
  switch (rows.kind) {
    case 'binary':
      return new MeanMetric(
        Float64Array.from(rows.probability, (probability, row) =>
          lossOf(rows.labels[row] === 1 ? probability : 1 - probability),
        ),
      );
    case 'multiclass':
      return new MeanMetric(Float64Array.from(rows.labelProbability, lossOf));
  }
}

function lossOf(probability: number): number {
  return -Math.log(Math.min(1, Math.max(LEAST_PROBABILITY, probability)));
}
