import type { CheckName } from '@perennial/contract';
import { answersOf, isAnswer } from '../../probing/answers.ts';
import { thinSample } from '../../probing/thin-sample.ts';
import { askVariations, type VariedAnswer, type Variation } from '../../probing/variations.ts';
import type { RowSample } from '../../scoring/row-sample.ts';
import type { ScoringModel } from '../../scoring/score-split.ts';
import type { CheckFinding } from '../finding.ts';
import { rowsText } from '../wording.ts';

/** Most rows that are changed and asked again. */
export const MOST_ASKED_ROWS = 1_000;
/** Fewest, where there are so many columns that {@link MOST_CELLS} would leave fewer. */
const FEWEST_ROWS = 20;
/** Most values that one check puts to the model, about a second of its time: a table of hundreds of columns has fewer of its rows asked. */
const MOST_CELLS = 4_000_000;

/** A candidate and the rows that it is asked about in other words. */
export interface BehaviourQuestion {
  model: ScoringModel;
  sample: RowSample;
  signal?: AbortSignal;
}

/** The rows with a column, or several, set to something. */
export interface Setting extends Variation {
  /** The column, or what several are called together. */
  subject: string;
  /** In words: `missing`, `at 1e30`. */
  value: string;
}

/** One setting, given the rows that are asked. */
export type SettingOf = (batch: RowSample['batch']) => Setting;

interface Unanswered {
  setting: Setting;
  rows: number;
  problem: string;
}

/** Asks the model under every setting, and finds what it answers with no probability or no number: one finding, or one a column that fails. */
export async function checkAnswered(
  question: BehaviourQuestion & { name: CheckName; settings: readonly SettingOf[]; nothing: string },
): Promise<CheckFinding[]> {
  const { name, model, settings } = question;
  const finding = { name, limit: 0 };
  const cells = settings.length * model.signature.inputs.length;
  const most = Math.max(FEWEST_ROWS, Math.min(MOST_ASKED_ROWS, Math.floor(MOST_CELLS / cells)));
  const { batch } = thinSample(question.sample, most);
  if (settings.length === 0 || batch.rows === 0) {
    const explanation = batch.rows === 0 ? 'There are no test rows to ask about.' : question.nothing;
    return [{ ...finding, subject: null, outcome: 'skipped', explanation, measured: null }];
  }
  const variations = settings.map((settingOf) => settingOf(batch));
  const unanswered: Unanswered[] = [];
  for await (const answer of askVariations({ model, batch, variations, signal: question.signal })) {
    const problem = problemIn(answer, batch.rows);
    if (problem !== null) unanswered.push(problem);
  }
  if (unanswered.length === 0) {
    const explanation = `${rowsText(batch.rows)}, each asked in ${settings.length} such ways, all have an answer.`;
    return [{ ...finding, subject: null, outcome: 'pass', explanation, measured: 0 }];
  }
  return bySubject(unanswered).map((ofSubject) => ({
    ...finding,
    subject: ofSubject[0]!.setting.subject,
    outcome: 'fail',
    explanation: explain(ofSubject, batch.rows),
    measured: Math.max(...ofSubject.map(({ rows }) => rows)),
  }));
}

function problemIn(answer: VariedAnswer<Setting>, rows: number): Unanswered | null {
  const { variation: setting } = answer;
  if ('problem' in answer) return { setting, rows, problem: answer.problem };
  const { width, values } = answersOf(answer.output);
  const { kind } = answer.output;
  let wrong = 0;
  let first: number | null = null;
  for (let row = 0; row < rows; row++) {
    const bad = values.subarray(row * width, (row + 1) * width).find((value) => !isAnswer(value, kind));
    if (bad === undefined) continue;
    wrong++;
    first ??= bad;
  }
  return first === null ? null : { setting, rows: wrong, problem: `it answers ${first}` };
}

function bySubject(unanswered: readonly Unanswered[]): Unanswered[][] {
  const groups = new Map<string, Unanswered[]>();
  for (const one of unanswered) {
    groups.set(one.setting.subject, [...(groups.get(one.setting.subject) ?? []), one]);
  }
  return [...groups.values()];
}

function explain(ofSubject: readonly Unanswered[], rows: number): string {
  const { setting, problem, rows: wrong } = ofSubject[0]!;
  const others = ofSubject.slice(1).map(({ setting: other }) => other.value);
  const also = others.length === 0 ? '' : ` So it is ${others.join(', ')}.`;
  return `With ${setting.subject} ${setting.value} ${problem} in ${wrong.toLocaleString('en-US')} of ${rowsText(rows)}.${also}`;
}
