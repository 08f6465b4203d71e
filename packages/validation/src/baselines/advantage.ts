import { HIGHER_IS_BETTER, type Metric } from '@perennial/contract';
import { metricOf } from '../metrics/metric-of.ts';
import { plainValue } from '../metrics/row-metric.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import { normalCdf } from '../statistics/normal.ts';

/** How much better a model is than a baseline on the same rows. */
export interface Advantage {
  model: number;
  baseline: number;
  /** Model minus baseline, oriented so that more is better. */
  value: number;
  standardError: number;
  /** One-sided, of the hypothesis that the model is no better. */
  pValue: number;
}

/**
 * The paired difference of a metric with its normal interval, from the rows' influences on it (the infinitesimal jackknife: Efron, "The jackknife, the
 * bootstrap and other resampling plans", 1982, chapter 6; for AUC it is DeLong's). No resampling: a model that has learnt something is
 * many standard errors away, where the second order does not matter.
 *
 * @param clusters of each row, numbered from 0, where rows of one cluster go together; null where each row stands for itself
 * @returns null where the metric is undefined on the rows
 */
export function advantageOver(
  metric: Metric,
  models: { model: ScoredRows; baseline: ScoredRows },
  clusters: Int32Array | null,
): Advantage | null {
  const ofModel = metricOf(metric, models.model);
  const ofBaseline = metricOf(metric, models.baseline);
  const [model, baseline] = [plainValue(ofModel), plainValue(ofBaseline)];
  const [influence, subtracted] = [ofModel.influence(), ofBaseline.influence()];
  if (model === null || baseline === null || influence === null || subtracted === null) return null;
  const difference = influence.map((own, row) => own - subtracted[row]!);
  const value = HIGHER_IS_BETTER[metric] ? model - baseline : baseline - model;
  const standardError = standardErrorOf(difference, clusters);
  return { model, baseline, value, standardError, pValue: tail(value, standardError) };
}

/** √Σ influence² / rows, the influences of a cluster added up before they are squared. */
function standardErrorOf(influence: Float64Array, clusters: Int32Array | null): number {
  const sums = clusters === null ? influence : sumsByCluster(influence, clusters);
  let squares = 0;
  for (const sum of sums) squares += sum ** 2;
  return Math.sqrt(squares) / influence.length;
}

function sumsByCluster(influence: Float64Array, clusters: Int32Array): Float64Array {
  const count = clusters.reduce((most, cluster) => Math.max(most, cluster + 1), 0);
  const sums = new Float64Array(count);
  influence.forEach((value, row) => (sums[clusters[row]!]! += value));
  return sums;
}

/** Without any spread between the rows the difference is what it is. */
function tail(value: number, standardError: number): number {
  if (standardError === 0) return value > 0 ? 0 : 1;
  return normalCdf(-value / standardError);
}
