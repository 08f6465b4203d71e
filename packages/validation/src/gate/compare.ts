import {
  HIGHER_IS_BETTER,
  METRIC_TITLES,
  type Difference,
  type Interval,
  type Metric,
  type NotWorseSpec,
} from '@perennial/contract';
import { metricOf } from '../metrics/metric-of.ts';
import { plainValue, type RowMetric } from '../metrics/row-metric.ts';
import { scoreOrder } from '../metrics/score-order.ts';
import { selectRows, type ScoredRows } from '../scoring/scored-rows.ts';
import type { BootstrapDistribution } from '../statistics/bca.ts';
import { clusterCount, withoutGaps } from '../statistics/clusters.ts';
import {
  bootstrapDifference,
  bootstrapMetric,
  type BootstrapOptions,
} from '../statistics/paired-bootstrap.ts';
import { PairedProportions } from '../statistics/paired-proportions.ts';
import { turn } from '../statistics/turn.ts';
import { shortageOf } from './evidence.ts';
import { countText, rowsText, upperFirst } from './number-text.ts';

/** A metric's value with its two-sided interval. */
export interface Estimate {
  value: number;
  interval: Interval;
}

/** Two models' answers for the same rows, and how surely the first must be shown to be not worse. */
export interface ComparisonQuestion {
  spec: NotWorseSpec;
  /** The one-sided error that this comparison may make, in (0, 0.5): a test set that was asked often gives far less than 1 − confidence. */
  error: number;
  /** Decides every draw: the same seed and rows give the same estimate on every machine. */
  seed: readonly string[];
  candidate: ScoredRows;
  champion: ScoredRows;
  /** The cluster of each row, a number from 0 up; its rows are resampled as one. Null: each row by itself. */
  clusters: Int32Array | null;
  /** Called between turns of the event loop with the share that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

export type ComparisonEstimate =
  | {
      kind: 'estimate';
      /** Their intervals are at the gate's confidence on each side. */
      candidate: Estimate;
      champion: Estimate;
      /** Its interval is two-sided at 1 − 2 · error. */
      difference: Difference;
      /** One-sided p-value of the hypothesis that the candidate is worse by the margin or more: small is a pass. */
      pNotWorse: number;
      /** One-sided p-value of the hypothesis that the candidate is worse by the margin at most: small is clearly worse. */
      pWorse: number;
      /** How the interval was made, in words. */
      method: string;
    }
  | {
      /** The metric has no value, or no interval, on these rows; or there are too few of them to go by. */
      kind: 'undefined' | 'shortage';
      /** A whole sentence. */
      reason: string;
      candidate: number | null;
      champion: number | null;
    };

/**
 * Estimates how much better the candidate is than the champion on the same rows, by the paired bootstrap (`bootstrapDifference`,
 * `BootstrapDistribution`); for accuracy the interval also covers what few disagreements cannot show (`PairedProportions`). The
 * interval lies above −margin if and only if `pNotWorse` is below the error, and below it if and only if `pWorse` is.
 *
 * @throws MetricKindError when the metric does not belong to the label
 */
export async function estimateDifference(given: ComparisonQuestion): Promise<ComparisonEstimate> {
  const question = { ...given, clusters: given.clusters && withoutGaps(given.clusters) };
  const { spec, candidate, champion } = question;
  const models = await prepare(question);
  const values = { candidate: plainValue(models.candidate), champion: plainValue(models.champion) };
  if (values.candidate === null || values.champion === null)
    return { kind: 'undefined', reason: undefinedReason(spec.metric, candidate.labels.length), ...values };
  const shortage = shortageOf(spec.metric, candidate) ?? clusterShortageOf(question);
  if (shortage !== null) return { kind: 'shortage', reason: `${shortage}.`, ...values };
  const found = await bootstrapDifference(models, bootstrapOptions(question, models.clusters));
  if (found === null)
    return { kind: 'undefined', reason: noIntervalReason(spec.metric, candidate.labels.length), ...values };
  const sides = [found.difference, ...proportionsOf(spec.metric, candidate, champion)];
  const confidence = twoSidedConfidence(1 - spec.confidence);
  return {
    kind: 'estimate',
    candidate: estimateOf(found.candidate, confidence),
    champion: estimateOf(found.champion, confidence),
    ...orientedTest({ spec, error: question.error, value: found.difference.estimate, sides }),
    method: methodOf(question),
  };
}

/** What stands in a comparison's place when the candidate is the very file that is in production: it cannot be worse. */
export function sameArtifactEstimate(estimate: Estimate, error: number): ComparisonEstimate {
  return {
    kind: 'estimate',
    candidate: estimate,
    champion: estimate,
    difference: { value: 0, interval: { low: 0, high: 0, confidence: twoSidedConfidence(error) } },
    pNotWorse: 0,
    pWorse: 1,
    method: 'the same file, nothing to compare',
  };
}

/**
 * A metric of one model with its bootstrap interval.
 * @returns null where the metric is undefined on the rows, or on so many resamples that no interval can be had
 * @throws MetricKindError when the metric does not belong to the label
 */
export async function estimateMetric(
  question: {
    metric: Metric;
    scored: ScoredRows;
    /** Two-sided, in (0, 1). */ confidence: number;
  } & BootstrapOptions,
): Promise<Estimate | null> {
  const clusters = question.clusters ? withoutGaps(question.clusters) : null;
  const found = await bootstrapMetric(metricOf(question.metric, question.scored), { ...question, clusters });
  return found && estimateOf(found, question.confidence);
}

/**
 * The two-sided confidence whose sides each err so often: 0.9 for 0.05. Rounded, so that 0.05 gives 0.9 and not 0.8999999999999999.
 */
export function twoSidedConfidence(error: number): number {
  return Number((1 - 2 * error).toFixed(12));
}

/** Bounds and p-values of a difference, whichever way they were made. */
type Bounds = Pick<BootstrapDistribution, 'lowerBound' | 'upperBound' | 'pAtMost' | 'pAtLeast'>;

/** The widest of several intervals, and the largest of their p-values, turned so that more is better. */
function orientedTest(test: { spec: NotWorseSpec; error: number; value: number; sides: Bounds[] }): {
  difference: Difference;
  pNotWorse: number;
  pWorse: number;
} {
  const { spec, error, value, sides } = test;
  const confidence = twoSidedConfidence(error);
  const low = Math.min(...sides.map((side) => side.lowerBound(error)));
  const high = Math.max(...sides.map((side) => side.upperBound(error)));
  const atMost = (limit: number): number => Math.max(...sides.map((side) => side.pAtMost(limit)));
  const atLeast = (limit: number): number => Math.max(...sides.map((side) => side.pAtLeast(limit)));
  if (HIGHER_IS_BETTER[spec.metric]) {
    return {
      difference: { value, interval: { low, high, confidence } },
      pNotWorse: atMost(-spec.margin),
      pWorse: atLeast(-spec.margin),
    };
  }
  return {
    // 0 − x, not −x: no difference is to be 0, never -0, on record.
    difference: { value: 0 - value, interval: { low: 0 - high, high: 0 - low, confidence } },
    pNotWorse: atLeast(spec.margin),
    pWorse: atMost(spec.margin),
  };
}

function estimateOf(distribution: BootstrapDistribution, confidence: number): Estimate {
  return { value: distribution.estimate, interval: distribution.interval(confidence) };
}

/** Rows go in the order of the candidate's scores where the metric ranks: weights are then read one after another, twice as fast. */
async function prepare(question: ComparisonQuestion): Promise<{
  candidate: RowMetric;
  champion: RowMetric;
  clusters: Int32Array | null;
}> {
  const { spec, candidate, champion, clusters } = question;
  const inOrder =
    spec.metric === 'auc' && candidate.kind === 'binary' ? scoreOrder(candidate.probability) : null;
  const metric = async (rows: ScoredRows): Promise<RowMetric> => {
    await turn(question, 0);
    return metricOf(spec.metric, inOrder === null ? rows : selectRows(rows, inOrder));
  };
  return {
    candidate: await metric(candidate),
    champion: await metric(champion),
    clusters: clusters && inOrder ? Int32Array.from(inOrder, (row) => clusters[row]!) : clusters,
  };
}

function bootstrapOptions(question: ComparisonQuestion, clusters: Int32Array | null): BootstrapOptions {
  const { spec, seed, onProgress, signal } = question;
  return {
    replicates: spec.replicates,
    seed,
    clusters,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  };
}

function proportionsOf(metric: Metric, candidate: ScoredRows, champion: ScoredRows): PairedProportions[] {
  if (metric !== 'accuracy' || candidate.kind === 'regression' || champion.kind === 'regression') return [];
  const rows = candidate.labels.length;
  const pairs = { onlyFirst: 0, onlySecond: 0, rows };
  for (let row = 0; row < rows; row++) {
    const first = candidate.decision[row] === candidate.labels[row];
    const second = champion.decision[row] === champion.labels[row];
    if (first && !second) pairs.onlyFirst++;
    if (second && !first) pairs.onlySecond++;
  }
  return [new PairedProportions(pairs)];
}

/**
 * Fewest clusters a verdict rests on: below some twenty the spread among them is itself hardly known, and cluster-robust inference
 * rejects too often (Cameron, Gelbach & Miller, 2008, for 5 to 30 clusters).
 */
export const FEWEST_CLUSTERS = 20;
/** Fewest clusters with rows of each class where a metric ranks one class against the other. */
const FEWEST_CLUSTERS_OF_A_CLASS = 10;

function clusterShortageOf({ spec, candidate, clusters }: ComparisonQuestion): string | null {
  if (clusters === null) return null;
  const count = clusterCount(clusters);
  const noun = clusterNoun(spec);
  if (count < FEWEST_CLUSTERS)
    return `There are ${count} ${noun}, and at least ${FEWEST_CLUSTERS} are needed`;
  if (spec.metric !== 'auc' || candidate.kind !== 'binary') return null;
  const withLabel = [0, 1].map(
    (label) => new Set(clusters.filter((_, row) => candidate.labels[row] === label)).size,
  );
  const rarer = Math.min(...withLabel);
  if (rarer >= FEWEST_CLUSTERS_OF_A_CLASS) return null;
  return `The rarer label occurs in ${rarer} ${noun}, and at least ${FEWEST_CLUSTERS_OF_A_CLASS} are needed`;
}

function clusterNoun({ cluster }: NotWorseSpec): string {
  switch (cluster) {
    case 'entity':
      return 'entities';
    case 'day':
      return 'days';
    case undefined:
      return 'clusters';
  }
}

function methodOf({ spec, clusters }: ComparisonQuestion): string {
  const drawn = clusters === null ? 'rows' : `${countText(clusterCount(clusters))} ${clusterNoun(spec)}`;
  return `paired bootstrap, BCa, ${countText(spec.replicates)} replicates of ${drawn}`;
}

function undefinedReason(metric: Metric, rows: number): string {
  const title = METRIC_TITLES[metric];
  if (rows === 0) return `There are no test rows to compute ${title} on.`;
  return `${upperFirst(title)} cannot be computed on ${rowsText(rows)}: they all have the same label.`;
}

function noIntervalReason(metric: Metric, rows: number): string {
  return `${upperFirst(METRIC_TITLES[metric])} has no interval on ${rowsText(rows)}: too many resamples of them hold one label only.`;
}
