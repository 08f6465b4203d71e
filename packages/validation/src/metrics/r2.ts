import type { RegressionRows } from '../scoring/scored-rows.ts';
import { squaredErrors } from './regression-error.ts';
import type { RowMetric } from './row-metric.ts';
import type { RowSums } from './row-sums.ts';

/**
 * Share of the labels' variance that the model explains: 1 − Σ error² / Σ (label − mean)². Negative for a model worse than the mean;
 * undefined where all labels are the same.
 */
export class R2Metric implements RowMetric {
  readonly #errors: Float64Array;
  /** Labels less their mean, so that their weighted variance can be had from sums without losing its digits. */
  readonly #labels: Float64Array;

  constructor(rows: RegressionRows) {
    this.#errors = squaredErrors(rows);
    const mean = rows.labels.reduce((sum, label) => sum + label, 0) / rows.labels.length;
    this.#labels = rows.labels.map((label) => label - mean);
  }

  get rows(): number {
    return this.#labels.length;
  }

  value(weights: Uint8Array): number | null {
    return valueOf(this.#sums(weights));
  }

  influence(): Float64Array | null {
    const { total, mean, errors, variation } = this.#sums(new Uint8Array(this.rows).fill(1));
    if (total === 0 || variation <= 0) return null;
    return this.#labels.map(
      (label, row) =>
        this.rows * ((errors * (label - mean) ** 2) / variation ** 2 - this.#errors[row]! / variation),
    );
  }

  sums(): RowSums {
    const perRow = new Float64Array(4 * this.rows);
    for (let row = 0; row < this.rows; row++) {
      const label = this.#labels[row]!;
      perRow.set([1, this.#errors[row]!, label, label * label], 4 * row);
    }
    return {
      width: 4,
      perRow,
      value: ([total, errors, labels, squares]) =>
        valueOf(variationOf({ total: total!, errors: errors!, labels: labels!, squares: squares! })),
    };
  }

  #sums(weights: Uint8Array): Variation {
    let total = 0;
    let errors = 0;
    let labels = 0;
    let squares = 0;
    for (let row = 0; row < weights.length; row++) {
      const weight = weights[row]!;
      const label = this.#labels[row]!;
      total += weight;
      errors += weight * this.#errors[row]!;
      labels += weight * label;
      squares += weight * label * label;
    }
    return variationOf({ total, errors, labels, squares });
  }
}

interface Variation {
  total: number;
  mean: number;
  errors: number;
  variation: number;
}

function variationOf(sums: { total: number; errors: number; labels: number; squares: number }): Variation {
  const { total, errors, labels, squares } = sums;
  const mean = total === 0 ? 0 : labels / total;
  const variation = squares - mean * labels;
  // Of equal labels the difference is rounding alone, up to a few units in the last place of the squares.
  return { total, mean, errors, variation: variation <= squares * 1e-12 ? 0 : variation };
}

function valueOf({ total, errors, variation }: Variation): number | null {
  return total === 0 || variation <= 0 ? null : 1 - errors / variation;
}
