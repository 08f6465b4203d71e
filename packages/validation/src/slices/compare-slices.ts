import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NotWorseSpec, SliceComparison } from '@perennial/contract';
import { advantageOver, type Advantage } from '../baselines/advantage.ts';
import { FEWEST_CLUSTERS, twoSidedConfidence } from '../gate/compare.ts';
import { shortageOf } from '../gate/evidence.ts';
import { holm } from '../gate/holm.ts';
import { selectClusters } from '../scoring/row-clusters.ts';
import { selectRows, type ScoredRows } from '../scoring/scored-rows.ts';
import { clusterCount } from '../statistics/clusters.ts';
import { normalCdf, normalQuantile } from '../statistics/normal.ts';
import type { FoundSlices } from './find-slices.ts';
import type { Slice } from './slice.ts';

/** The slices that are named, worst first. */
const MOST_NAMED = 10;

export interface SliceQuestion {
  /** The gate's primary comparison: its metric, margin, and confidence count. */
  comparison: NotWorseSpec;
  /** How much worse a slice may be; absent: the comparison's margin. */
  margin?: number | undefined;
  candidate: ScoredRows;
  champion: ScoredRows;
  /** Of each row, where the comparison asks for clusters. */
  clusters: Int32Array | null;
  found: FoundSlices;
  signal?: AbortSignal | undefined;
}

export interface ComparedSlices {
  compared: number;
  tooSmall: number;
  worst: SliceComparison[];
  /** Every one that is clearly worse, worst first. */
  clearlyWorse: SliceComparison[];
}

/**
 * Compares candidate and champion on each slice by the primary metric, and finds those where the candidate is worse by more than the
 * margin beyond doubt: the one-sided p-values, adjusted by Holm over all slices, are at most 1 − confidence.
 *
 * The intervals are normal ones from the rows' influences (`advantageOver`): for AUC that is DeLong's, for a mean of one number per row (log
 * loss, accuracy, Brier, absolute error) the paired t interval's large form, for RMSE, R² and macro F1 the delta method. Hundreds of slices cost
 * as much as sorting their rows; a bootstrap of each would cost a thousand times that and decide nothing else, since a slice is named
 * only where it is several standard errors away.
 */
export async function compareSlices(question: SliceQuestion): Promise<ComparedSlices> {
  const compared: { slice: Slice; advantage: Advantage }[] = [];
  let { tooSmall } = question.found;
  for (const slice of question.found.slices) {
    question.signal?.throwIfAborted();
    const advantage = advantageOn(question, slice.rows);
    if (advantage === null) tooSmall++;
    else compared.push({ slice, advantage });
    await nextTurn();
  }
  const margin = question.margin ?? question.comparison.margin;
  const pValues = holm(compared.map(({ advantage }) => pWorse(advantage, margin)));
  const comparisons = compared
    .map((one, index) => sliceComparison(question.comparison, one, pValues[index]!))
    .sort((a, b) => (a.difference?.value ?? 0) - (b.difference?.value ?? 0));
  return {
    compared: compared.length,
    tooSmall,
    worst: comparisons.slice(0, MOST_NAMED),
    clearlyWorse: comparisons.filter(({ clearlyWorse }) => clearlyWorse),
  };
}

/** Null where the slice's rows do not allow a verdict: too few of a class or of clusters, or all of one class. */
function advantageOn(
  { comparison, candidate, champion, clusters }: SliceQuestion,
  rows: Uint32Array,
): Advantage | null {
  const model = selectRows(candidate, rows);
  if (shortageOf(comparison.metric, model) !== null) return null;
  const ofSlice = clusters && selectClusters(clusters, rows);
  if (ofSlice !== null && clusterCount(ofSlice) < FEWEST_CLUSTERS) return null;
  const baseline = selectRows(champion, rows);
  return advantageOver(comparison.metric, { model, baseline }, ofSlice);
}

/** One-sided p-value of the hypothesis that the candidate is worse by the margin at most. */
function pWorse({ value, standardError }: Advantage, margin: number): number {
  const distance = value + margin;
  if (standardError === 0) return distance < 0 ? 0 : 1;
  return normalCdf(distance / standardError);
}

function sliceComparison(
  { metric, confidence }: NotWorseSpec,
  { slice, advantage }: { slice: Slice; advantage: Advantage },
  pValue: number,
): SliceComparison {
  const { value, standardError } = advantage;
  const reach = normalQuantile(confidence) * standardError;
  const interval = {
    low: value - reach,
    high: value + reach,
    confidence: twoSidedConfidence(1 - confidence),
  };
  return {
    slice: slice.slice,
    rows: slice.rows.length,
    metric,
    candidate: advantage.model,
    champion: advantage.baseline,
    difference: { value, interval },
    pValue,
    clearlyWorse: pValue <= 1 - confidence,
  };
}
