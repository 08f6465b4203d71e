import type { ColumnBatch } from '@perennial/onnx';
import type { RowSample } from '../scoring/row-sample.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import type { CheckFinding } from './finding.ts';
import { numberText, rowsText } from './wording.ts';

/**
 * Nearer to each other than this share of their size, answers are the same: the same row at another place of a batch may differ by a few units in
 * the last place of a float32 (1.2e-7). A share, so that probabilities of a millionth that do differ are not taken for one.
 */
const SAME = 1e-6;

/** Whether a candidate answers the same whatever it is asked, as one does whose weights have died or never moved. */
export function checkConstantAnswers(scored: ScoredRows, sample: RowSample): CheckFinding[] {
  const finding = { name: 'constant-answers', subject: null, measured: null, limit: null } as const;
  const rows = scored.labels.length;
  if (!hasDistinctRows(sample.batch)) {
    const explanation = 'There are no two different test rows that could be answered differently.';
    return [{ ...finding, outcome: 'skipped', explanation }];
  }
  const answer = constantAnswer(scored);
  if (answer === null) {
    return [{ ...finding, outcome: 'pass', explanation: `The answers to ${rowsText(rows)} differ.` }];
  }
  const explanation = `Every one of ${rowsText(rows)} is answered with ${answer}: the model does not look at what it is asked.`;
  return [{ ...finding, outcome: 'fail', explanation }];
}

function hasDistinctRows({ rows, columns }: ColumnBatch): boolean {
  return Object.values(columns).some((column) => {
    for (let row = 1; row < rows; row++) if (!Object.is(column[row], column[0])) return true;
    return false;
  });
}

/** The one answer in words; null where they differ, and without rows. */
function constantAnswer(scored: ScoredRows): string | null {
  switch (scored.kind) {
    case 'binary':
      return constantNumber(scored.probability);
    case 'multiclass': {
      const { classes, classNames, labels, labelProbability, decision, decisionProbability } = scored;
      const decided = decision[0];
      if (decision.some((other) => other !== decided)) return null;
      const probability = constantNumber(decisionProbability);
      // The probabilities of the true classes are one per class where the answer is one for all rows.
      for (let index = 0; index < classes; index++) {
        const ofClass = labelProbability.filter((_, row) => labels[row] === index);
        if (ofClass.length > 0 && constantNumber(ofClass) === null) return null;
      }
      return probability && `'${classNames[decided ?? 0]}' (${probability})`;
    }
    case 'regression':
      return constantNumber(scored.value);
  }
}

function constantNumber(values: Float32Array): string | null {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const size = Math.max(Math.abs(least), Math.abs(most));
  return most - least <= SAME * size && values.length > 0 ? numberText(most) : null;
}
