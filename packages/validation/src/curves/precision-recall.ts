import type { CurvePoints } from './thin.ts';
import type { ThresholdCounts } from './threshold-counts.ts';

/** Widest step of recall between two points: where many rows share a score, points between its ends are worked out. */
const WIDEST_STEP = 0.01;

/**
 * Recall against precision, one point per distinct score, from recall 0 to 1; rows of both labels must occur. Between two scores precision does
 * not go straight: it follows the counts, `tp / (tp + fp)` with both growing evenly (Davis & Goadrich, "The relationship between
 * precision-recall and ROC curves", ICML 2006), so that wide steps get points in between; a straight line there would flatter the model.
 */
export function precisionRecallPoints(counts: ThresholdCounts): CurvePoints {
  const { truePositives, falsePositives, positives } = counts;
  const x: number[] = [];
  const y: number[] = [];
  let trueBefore = 0;
  let falseBefore = 0;
  for (let threshold = 0; threshold < truePositives.length; threshold++) {
    const truly = truePositives[threshold]! - trueBefore;
    const falsely = falsePositives[threshold]! - falseBefore;
    // Of nothing there is no precision: the curve begins at that of the highest score.
    if (threshold === 0) {
      x.push(0);
      y.push(truly / (truly + falsely));
    }
    const steps = Math.max(1, Math.ceil(truly / positives / WIDEST_STEP));
    for (let step = 1; step <= steps; step++) {
      const found = trueBefore + (truly * step) / steps;
      x.push(found / positives);
      y.push(found / (found + falseBefore + (falsely * step) / steps));
    }
    trueBefore += truly;
    falseBefore += falsely;
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y) };
}

/**
 * Average precision: the precision at each distinct score, weighed by the recall that it adds. A sum of steps and no area under straight lines, which
 * would be too large.
 */
export function averagePrecision({ truePositives, falsePositives, positives }: ThresholdCounts): number {
  let sum = 0;
  let before = 0;
  for (let threshold = 0; threshold < truePositives.length; threshold++) {
    const found = truePositives[threshold]!;
    sum += ((found - before) * found) / (found + falsePositives[threshold]!);
    before = found;
  }
  return Math.min(1, sum / positives);
}
