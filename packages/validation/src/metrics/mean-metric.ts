import type { RowMetric } from './row-metric.ts';
import type { RowSums } from './row-sums.ts';

/** The mean of one number per row: a loss, a hit, an absolute error. */
export class MeanMetric implements RowMetric {
  readonly #contributions: Float64Array;

  constructor(contributions: Float64Array) {
    this.#contributions = contributions;
  }

  get rows(): number {
    return this.#contributions.length;
  }

  value(weights: Uint8Array): number | null {
    const contributions = this.#contributions;
    let sum = 0;
    let total = 0;
    for (let i = 0; i < contributions.length; i++) {
      const weight = weights[i]!;
      sum += weight * contributions[i]!;
      total += weight;
    }
    return total === 0 ? null : sum / total;
  }

  influence(): Float64Array | null {
    const mean = this.value(new Uint8Array(this.rows).fill(1));
    return mean === null ? null : this.#contributions.map((contribution) => contribution - mean);
  }

  sums(): RowSums {
    const perRow = new Float64Array(2 * this.rows);
    for (let row = 0; row < this.rows; row++) {
      perRow[2 * row] = 1;
      perRow[2 * row + 1] = this.#contributions[row]!;
    }
    return { width: 2, perRow, value: ([total, sum]) => (total! > 0 ? sum! / total! : null) };
  }
}

/** The root of the mean of one number per row: the root mean squared error of squared errors. */
export class RootMeanMetric implements RowMetric {
  readonly #mean: MeanMetric;

  constructor(contributions: Float64Array) {
    this.#mean = new MeanMetric(contributions);
  }

  get rows(): number {
    return this.#mean.rows;
  }

  value(weights: Uint8Array): number | null {
    const mean = this.#mean.value(weights);
    return mean === null ? null : Math.sqrt(mean);
  }

  influence(): Float64Array | null {
    const root = this.value(new Uint8Array(this.rows).fill(1));
    const influence = this.#mean.influence();
    if (root === null || influence === null) return null;
    // At an error of exactly zero every row's influence is zero too, and the slope of the root is not needed.
    return root === 0 ? influence : influence.map((value) => value / (2 * root));
  }

  sums(): RowSums {
    const ofMean = this.#mean.sums();
    return {
      width: ofMean.width,
      perRow: ofMean.perRow,
      value: (sums) => {
        const mean = ofMean.value(sums);
        return mean === null ? null : Math.sqrt(mean);
      },
    };
  }
}
