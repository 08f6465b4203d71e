import type { DataCard, FittedLabel } from '@perennial/contract';
import type { ScoredRows } from '../scoring/scored-rows.ts';

type LabelSummary = DataCard['labels']['train'];

/**
 * What one would answer who knows the training labels and looks at no feature: their mean, or the shares of their classes and the most frequent
 * class.
 *
 * @param scored gives the labels of the rows; its answers are not looked at
 * @returns null where the data card does not say how the labels are distributed
 */
export function constantAnswers(
  scored: ScoredRows,
  { label, train }: { label: FittedLabel; train: LabelSummary },
): ScoredRows | null {
  const rows = scored.labels.length;
  switch (scored.kind) {
    case 'binary': {
      const probability = classShares(train)?.get('true') ?? null;
      if (probability === null || label.kind !== 'binary') return null;
      const decided = probability >= label.threshold ? 1 : 0;
      return {
        ...scored,
        probability: new Float32Array(rows).fill(probability),
        decision: new Uint8Array(rows).fill(decided),
      };
    }
    case 'multiclass': {
      const shares = classShares(train);
      if (shares === null) return null;
      const byNumber = scored.classNames.map((name) => shares.get(name) ?? 0);
      const decided = byNumber.indexOf(Math.max(...byNumber));
      return {
        ...scored,
        labelProbability: Float32Array.from(scored.labels, (label) => byNumber[label]!),
        decision: new Int32Array(rows).fill(decided),
        decisionProbability: new Float32Array(rows).fill(byNumber[decided] ?? 0),
      };
    }
    case 'regression':
      return train.mean === null ? null : { ...scored, value: new Float32Array(rows).fill(train.mean) };
  }
}

/** By class; a class that no training row has is absent. Null where there is no row. */
function classShares({ classes }: LabelSummary): Map<string, number> | null {
  const counts = Object.entries(classes ?? {});
  const total = counts.reduce((sum, [, rows]) => sum + rows, 0);
  return total === 0 ? null : new Map(counts.map(([name, rows]) => [name, rows / total]));
}
