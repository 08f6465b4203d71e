import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest, Evaluation, Interval, Metric, SliceEvaluation } from '@perennial/contract';
import { metricValues } from './metrics/metric-of.ts';
import { selectRows, type ScoredRows } from './scoring/scored-rows.ts';
import type { Slice } from './scoring/slice-columns.ts';

/** What an evaluation is made from. */
export interface EvaluationParts {
  artifact: Digest;
  dataset: Digest;
  scored: ScoredRows;
  slices: Slice[];
  /** The gate's metric, which has an interval where its value could be resampled. */
  primary: { metric: Metric; interval: Interval | null };
}

/** Metrics of one model on the test split, overall and per slice; the event loop turns between slices. */
export async function evaluationOf(parts: EvaluationParts): Promise<Evaluation> {
  const { artifact, dataset, scored, primary } = parts;
  const slices: SliceEvaluation[] = [];
  for (const { column, value, rows } of parts.slices) {
    slices.push({ column, value, rows: rows.length, metrics: metricValues(selectRows(scored, rows)) });
    await nextTurn();
  }
  return {
    artifact,
    dataset,
    split: 'test',
    rows: scored.labels.length,
    metrics: metricValues(scored),
    intervals: primary.interval === null ? {} : { [primary.metric]: primary.interval },
    slices,
    ...means(scored),
  };
}

/** Mean answer and mean label: of probabilities against shares, of values against values. Classes have no mean. */
function means(scored: ScoredRows): Pick<Evaluation, 'meanPrediction' | 'meanLabel'> {
  switch (scored.kind) {
    case 'binary':
      return { meanPrediction: mean(scored.probability), meanLabel: mean(scored.labels) };
    case 'multiclass':
      return { meanPrediction: null, meanLabel: null };
    case 'regression':
      return { meanPrediction: mean(scored.value), meanLabel: mean(scored.labels) };
  }
}

function mean(values: Float32Array | Float64Array | Uint8Array): number | null {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? null : sum / values.length;
}
