import type { CurvePoints } from './thin.ts';
import type { ThresholdCounts } from './threshold-counts.ts';

/** False positive rate against true positive rate from (0, 0) to (1, 1), one point per distinct score; both labels must occur. */
export function rocPoints(counts: ThresholdCounts): CurvePoints {
  const { truePositives, falsePositives, positives, negatives } = counts;
  const x = new Float64Array(truePositives.length + 1);
  const y = new Float64Array(truePositives.length + 1);
  for (let threshold = 0; threshold < truePositives.length; threshold++) {
    x[threshold + 1] = falsePositives[threshold]! / negatives;
    y[threshold + 1] = truePositives[threshold]! / positives;
  }
  return { x, y };
}
