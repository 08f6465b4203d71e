import type { MulticlassRows } from '../scoring/scored-rows.ts';
import type { RowMetric } from './row-metric.ts';

/**
 * Mean over classes of F1 = 2 · hits / (rows of the class + decisions for the class). The mean is over the classes that occur among the
 * labels or the decisions: a class that no row has and no model chose says nothing.
 */
export class MacroF1Metric implements RowMetric {
  readonly #scored: MulticlassRows;

  constructor(rows: MulticlassRows) {
    this.#scored = rows;
  }

  get rows(): number {
    return this.#scored.labels.length;
  }

  value(weights: Uint8Array): number | null {
    const { hits, occurrences } = this.#count(weights);
    let sum = 0;
    let present = 0;
    for (let index = 0; index < hits.length; index++) {
      if (occurrences[index] === 0) continue;
      sum += (2 * hits[index]!) / occurrences[index]!;
      present++;
    }
    return present === 0 ? null : sum / present;
  }

  influence(): Float64Array | null {
    const { labels, decision } = this.#scored;
    const { hits, occurrences } = this.#count(new Uint8Array(this.rows).fill(1));
    const present = occurrences.filter((count) => count > 0).length;
    if (present === 0) return null;
    // How a class's F1 moves with one more row that has it as label or decision, and with one more hit.
    const ofOccurrence = occurrences.map((count, index) =>
      count === 0 ? 0 : (-2 * hits[index]!) / count ** 2,
    );
    const ofHit = occurrences.map((count) => (count === 0 ? 0 : 2 / count));
    return Float64Array.from(labels, (label, row) => {
      const decided = decision[row]!;
      const hit = label === decided ? ofHit[label]! : 0;
      return (this.rows / present) * (ofOccurrence[label]! + ofOccurrence[decided]! + hit);
    });
  }

  /** Per class: weighted hits, and weighted rows of the class plus decisions for it. */
  #count(weights: Uint8Array): { hits: Float64Array; occurrences: Float64Array } {
    const { labels, decision, classes } = this.#scored;
    const hits = new Float64Array(classes);
    const occurrences = new Float64Array(classes);
    for (let row = 0; row < labels.length; row++) {
      const weight = weights[row]!;
      const label = labels[row]!;
      const decided = decision[row]!;
      occurrences[label]! += weight;
      occurrences[decided]! += weight;
      if (label === decided) hits[label]! += weight;
    }
    return { hits, occurrences };
  }
}
