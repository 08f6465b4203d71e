import type { Curves } from '@perennial/contract';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import { averagePrecision, precisionRecallPoints } from './precision-recall.ts';
import { rocPoints } from './roc.ts';
import { thinCurve } from './thin.ts';
import { thresholdCounts } from './threshold-counts.ts';

/** Most points of a stored curve: as many as a plot can show. */
const MOST_POINTS = 200;

/** The curves of a binary label; null for other labels, and where the rows have one label only. */
export function curvesOf(scored: ScoredRows): Curves | null {
  if (scored.kind !== 'binary') return null;
  const counts = thresholdCounts(scored);
  if (counts.positives === 0 || counts.negatives === 0) return null;
  return {
    roc: thinCurve(rocPoints(counts), MOST_POINTS),
    precisionRecall: thinCurve(precisionRecallPoints(counts), MOST_POINTS),
    averagePrecision: averagePrecision(counts),
  };
}
