import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest, Evaluation, Slice, SliceEvaluation } from '@perennial/contract';
import { calibrationOf } from './calibration/reliability.ts';
import { confusionOf } from './confusion.ts';
import { curvesOf } from './curves/curves.ts';
import { metricValues } from './metrics/metric-of.ts';
import { selectRows, type ScoredRows } from './scoring/scored-rows.ts';

/** What an evaluation is made from. */
export interface EvaluationParts {
  artifact: Digest;
  dataset: Digest;
  /** The test rows that count. */
  scored: ScoredRows;
  /** Row numbers in `scored`, ascending. */
  slices: readonly { slice: Slice; rows: Uint32Array }[];
  /** Of the metrics that were resampled. */
  intervals: Evaluation['intervals'];
}

/**
 * How good one model is on the test split, overall and per slice. The event loop turns between slices, and between calibration (0.2 s of a
 * million rows) and curves (0.3 s).
 */
export async function evaluationOf(parts: EvaluationParts): Promise<Evaluation> {
  const { artifact, dataset, scored, intervals } = parts;
  const slices: SliceEvaluation[] = [];
  for (const { slice, rows } of parts.slices) {
    slices.push({ slice, rows: rows.length, metrics: metricValues(selectRows(scored, rows)) });
    await nextTurn();
  }
  const calibration = calibrationOf(scored);
  await nextTurn();
  const curves = curvesOf(scored);
  await nextTurn();
  return {
    artifact,
    dataset,
    split: 'test',
    rows: scored.labels.length,
    metrics: metricValues(scored),
    intervals,
    slices,
    ...means(scored),
    calibration,
    curves,
    confusion: confusionOf(scored),
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
