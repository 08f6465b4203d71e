import type { Curves, Evaluation, SliceEvaluation } from '@perennial/contract';
import { sampleDigest } from './sample-pipeline.ts';

const STEPS = Array.from({ length: 51 }, (_, step) => step / 50);
const POSITIVE_SHARE = 0.2;

/** Curves of the family `tpr = fpr^((1 − a) / a)`, whose area is exactly `a`. */
function curves(auc: number): Curves {
  const rise = (1 - auc) / auc;
  return {
    roc: STEPS.map((x) => [x, x ** rise]),
    precisionRecall: STEPS.map((recall) => [recall, precisionAt(recall, rise)]),
    averagePrecision: STEPS.reduce((sum, recall) => sum + precisionAt(recall, rise), 0) / STEPS.length,
  };
}

function precisionAt(recall: number, rise: number): number {
  const falsePositives = recall ** (1 / rise) * (1 - POSITIVE_SHARE);
  const truePositives = recall * POSITIVE_SHARE;
  return truePositives === 0 ? 1 : truePositives / (truePositives + falsePositives);
}

function slice(values: Record<string, string>, rows: number, auc: number | null): SliceEvaluation {
  return { slice: values, rows, metrics: { auc, logLoss: 0.45, accuracy: 0.8, brier: 0.14 } };
}

/** An evaluation of a binary label on the flights' test split. */
export function sampleEvaluation(artifact: string, auc: number): Evaluation {
  return {
    artifact: sampleDigest(artifact),
    dataset: sampleDigest('d'),
    split: 'test',
    rows: 16_512,
    metrics: { auc, logLoss: 0.4512, accuracy: 0.8, brier: 0.1433 },
    intervals: {
      auc: { low: auc - 0.0101, high: auc + 0.0103, confidence: 0.95 },
      logLoss: { low: 0.4431, high: 0.4598, confidence: 0.95 },
    },
    slices: [
      slice({ origin: 'ORD' }, 1_204, auc - 0.02),
      slice({ origin: 'a|b' }, 311, null),
      slice({ origin: '' }, 210, 0.5),
      slice({ weekend: 'true' }, 4_712, auc + 0.004),
      slice({ origin: 'ORD', weekend: 'true' }, 345, auc - 0.03),
    ],
    meanPrediction: 0.21,
    meanLabel: POSITIVE_SHARE,
    calibration: {
      error: 0.0123,
      bins: Array.from({ length: 10 }, (_, bin) => {
        const meanProbability = 0.03 + 0.055 * bin;
        const share = Math.max(0, meanProbability + 0.012 * Math.sin(bin));
        const interval = { low: Math.max(0, share - 0.014), high: share + 0.016, confidence: 0.95 };
        return { rows: 1_651, meanProbability, share, interval };
      }),
    },
    curves: curves(auc),
    confusion: {
      classes: ['false', 'true'],
      counts: [
        [12_690, 520],
        [2_782, 520],
      ],
    },
  };
}
