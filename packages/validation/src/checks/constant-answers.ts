import type { ColumnBatch } from '@perennial/onnx';
import type { RowSample } from '../scoring/row-sample.ts';
import type { MulticlassRows, ScoredRows } from '../scoring/scored-rows.ts';
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
    case 'multiclass':
      return constantClass(scored);
    case 'regression':
      return constantNumber(scored.value);
  }
}

/** One decision with one probability, and for every true class one probability: all that is known of an answer. */
function constantClass(scored: MulticlassRows): string | null {
  const { classes, classNames, labels, labelProbability, decision, decisionProbability } = scored;
  const [decided] = decision;
  const probability = constantNumber(decisionProbability);
  if (decided === undefined || probability === null) return null;
  const ofClass = Array.from({ length: classes }, () => new Range());
  for (let row = 0; row < labels.length; row++) {
    if (decision[row] !== decided) return null;
    ofClass[labels[row]!]!.add(labelProbability[row]!);
  }
  return ofClass.every((range) => range.isPoint) ? `'${classNames[decided]!}' (${probability})` : null;
}

function constantNumber(values: Float32Array): string | null {
  const range = new Range();
  for (const value of values) range.add(value);
  return values.length > 0 && range.isPoint ? numberText(range.most) : null;
}

/** The least and the most of some numbers. */
class Range {
  least = Infinity;
  most = -Infinity;

  add(value: number): void {
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
  }

  /** Whether they are one number, but for rounding; also where there are none. */
  get isPoint(): boolean {
    const size = Math.max(Math.abs(this.least), Math.abs(this.most));
    return !(this.most - this.least > SAME * size);
  }
}
