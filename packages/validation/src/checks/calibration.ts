import type { CalibrationReport } from '@perennial/contract';
import { normalQuantile } from '../statistics/normal.ts';
import type { CheckFinding } from './finding.ts';
import { numberText, shareText } from './wording.ts';

/** Largest expected calibration error that is good enough: probabilities that are off by one in twenty. */
const LARGEST_ERROR = 0.05;
/** One-sided, of the claim that the error is larger. */
const CONFIDENCE = 0.95;

/**
 * Whether probabilities may be taken at their word. It fails where the expected calibration error is above {@link LARGEST_ERROR} by more than chance
 * explains: the error is a sum of distances, and chance alone makes every distance longer, so that few rows would fail every model.
 *
 * @param report null for a label without probabilities, and without rows
 */
export function checkCalibration(report: CalibrationReport | null): CheckFinding[] {
  const finding = { name: 'calibration', subject: null, limit: LARGEST_ERROR } as const;
  if (report === null) {
    const explanation = 'There are no probabilities to compare with what happened.';
    return [{ ...finding, outcome: 'skipped', explanation, measured: null }];
  }
  const chance = errorByChance(report);
  const failed = report.error - chance > LARGEST_ERROR;
  return [
    {
      ...finding,
      outcome: failed ? 'fail' : 'pass',
      explanation: failed ? explainFailure(report) : explainPass(report),
      measured: report.error,
    },
  ];
}

/**
 * What chance alone stays below with {@link CONFIDENCE}. Per bin, the distance found is at most the true one and |ε|, where ε is the share's sampling
 * error, near to normal with standard deviation σ; the mean of |ε| is σ·√(2/π) and its variance σ²·(1 − 2/π). The bins' weighed sum
 * is taken for normal. σ is reckoned with two hits and two misses added (Agresti & Coull, 1998), since a bin without a hit is not without error.
 */
function errorByChance({ bins }: CalibrationReport): number {
  const total = bins.reduce((sum, { rows }) => sum + rows, 0);
  let mean = 0;
  let variance = 0;
  for (const { rows, share } of bins) {
    const steadied = (share * rows + 2) / (rows + 4);
    const weight = rows / total;
    const ofShare = (steadied * (1 - steadied)) / rows;
    mean += weight * Math.sqrt((ofShare * 2) / Math.PI);
    variance += weight ** 2 * ofShare * (1 - 2 / Math.PI);
  }
  return mean + normalQuantile(CONFIDENCE) * Math.sqrt(variance);
}

function explainPass({ error }: CalibrationReport): string {
  if (error <= LARGEST_ERROR) {
    return `Probabilities are off by ${numberText(error)} on average, within ${LARGEST_ERROR}.`;
  }
  return `Probabilities are off by ${numberText(error)} on average; on so few rows chance may explain what is above ${LARGEST_ERROR}.`;
}

function explainFailure({ error, bins }: CalibrationReport): string {
  const distance = (bin: (typeof bins)[number]): number =>
    bin.rows * Math.abs(bin.meanProbability - bin.share);
  const worst = bins.reduce((most, bin) => (distance(bin) > distance(most) ? bin : most));
  return `Probabilities are off by ${numberText(error)} on average, above ${LARGEST_ERROR} by more than chance: where the model says ${shareText(worst.meanProbability)}, it is ${shareText(worst.share)}.`;
}
