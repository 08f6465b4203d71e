import type { BehaviourSpec, ColumnType } from '@perennial/contract';
import { answersOf, type Answers } from '../../probing/answers.ts';
import { thinSample } from '../../probing/thin-sample.ts';
import { askVariations, type Variation } from '../../probing/variations.ts';
import type { CheckFinding } from '../finding.ts';
import { rowsText, shareText } from '../wording.ts';
import { brokenRows, type BrokenRow } from './broken-rows.ts';
import { changedColumns, type ChangedColumn } from './changed-column.ts';
import { MOST_ASKED_ROWS, type BehaviourQuestion } from './unanswered.ts';
import { answerText, valueText } from './value-text.ts';

/** Rows that an explanation names. */
const NAMED_ROWS = 3;

/** What asking about one expectation showed, by the sample's rows. */
interface Asked {
  rows: Set<number>;
  broken: Map<number, BrokenRow>;
}

/** Why there is nothing to ask about, and why there was no answer. */
type NotAsked = { skipped: string } | { problem: string };

/**
 * Whether the candidate behaves as its author expects, on up to {@link MOST_ASKED_ROWS} test rows: one finding an expectation, in the author's order.
 */
export async function checkExpectations(
  question: BehaviourQuestion & { behaviour: readonly BehaviourSpec[] },
): Promise<CheckFinding[]> {
  const { model, signal, behaviour } = question;
  if (behaviour.length === 0) return [];
  const asked = { model, sample: thinSample(question.sample, MOST_ASKED_ROWS), ...(signal && { signal }) };
  const before = await answersAsTheyAre(asked);
  const findings: CheckFinding[] = [];
  for (const spec of behaviour) findings.push(await checkExpectation(asked, spec, before));
  return findings;
}

async function answersAsTheyAre(question: BehaviourQuestion): Promise<Answers | NotAsked> {
  if (question.sample.rows.length === 0) return { skipped: 'There are no test rows to ask about.' };
  for await (const { answers } of ask(question, [{ changed: {} }])) return answers;
  return { problem: 'it was not asked' };
}

async function* ask<Varied extends Variation>(
  { model, sample, signal }: BehaviourQuestion,
  variations: readonly Varied[],
): AsyncGenerator<{ variation: Varied; answers: Answers | { problem: string } }> {
  for await (const answer of askVariations({ model, batch: sample.batch, variations, signal })) {
    yield {
      variation: answer.variation,
      answers: 'problem' in answer ? { problem: answer.problem } : answersOf(answer.output),
    };
  }
}

async function checkExpectation(
  question: BehaviourQuestion,
  spec: BehaviourSpec,
  before: Answers | NotAsked,
): Promise<CheckFinding> {
  const finding = { name: 'behaviour', subject: `${spec.kind}: ${spec.column}`, limit: spec.allow } as const;
  const type = typeOf(question, spec.column);
  const found = 'values' in before ? await tryChanges(question, spec, before) : before;
  if ('skipped' in found) {
    return { ...finding, outcome: 'skipped', explanation: found.skipped, measured: null };
  }
  if ('problem' in found) {
    const explanation = `It could not be asked with other values of '${spec.column}': ${found.problem}.`;
    return { ...finding, outcome: 'fail', explanation, measured: null };
  }
  const share = found.broken.size / found.rows.size;
  const sentence = explain(spec, found);
  const named = nameRows(question, found, { column: spec.column, type });
  return {
    ...finding,
    outcome: share > spec.allow ? 'fail' : 'pass',
    explanation: `${sentence}${named}.`,
    measured: share,
  };
}

function typeOf({ model }: BehaviourQuestion, column: string): ColumnType | undefined {
  return model.signature.inputs.find(({ name }) => name === column)?.type;
}

async function tryChanges(
  question: BehaviourQuestion,
  spec: BehaviourSpec,
  before: Answers,
): Promise<Asked | NotAsked> {
  const changes = changesOf(question, spec);
  if ('skipped' in changes) return changes;
  const asked: Asked = { rows: new Set(), broken: new Map() };
  const variations = changes.map((change) => ({ change, changed: { [spec.column]: change.values } }));
  for await (const { variation, answers: after } of ask(question, variations)) {
    if ('problem' in after) return after;
    for (const row of variation.change.rows) asked.rows.add(row);
    for (const broken of brokenRows(spec, variation.change, { before, after })) {
      if (!asked.broken.has(broken.row)) asked.broken.set(broken.row, broken);
    }
  }
  return asked;
}

function changesOf(question: BehaviourQuestion, spec: BehaviourSpec): ChangedColumn[] | { skipped: string } {
  const { model, sample } = question;
  const column = sample.batch.columns[spec.column];
  const type = typeOf(question, spec.column);
  if (column === undefined || type === undefined) {
    return {
      skipped: `The model does not take the column '${spec.column}', which so cannot move its answer.`,
    };
  }
  if (spec.kind !== 'invariant' && model.signature.output.kind === 'multiclass') {
    return { skipped: 'The answer of a multiclass label has no direction.' };
  }
  return changedColumns(spec, { column, type });
}

function explain(spec: BehaviourSpec, { rows, broken }: Asked): string {
  const claim = CLAIMS[spec.kind](spec.column);
  if (broken.size === 0) return `${claim}: so it is in all ${rowsText(rows.size)} that were tried`;
  const count = `${broken.size.toLocaleString('en-US')} of ${rowsText(rows.size)}`;
  const share = `${shareText(broken.size / rows.size)}, of which ${shareText(spec.allow)} is allowed`;
  return `${claim}: so it is expected, and in ${count} (${share}) it is not so, as in `;
}

/** The first rows that break an expectation, with their values and answers before and after. */
function nameRows(
  { sample }: BehaviourQuestion,
  { broken }: Asked,
  { column, type }: { column: string; type: ColumnType | undefined },
): string {
  if (type === undefined) return '';
  const first = [...broken.values()].sort((a, b) => a.row - b.row).slice(0, NAMED_ROWS);
  return first
    .map(({ row, value, answers }) => {
      const before = valueText(sample.batch.columns[column]?.[row], type);
      return `row ${sample.rows[row]!} (${before} → ${valueText(value, type)}: ${answerText(answers)})`;
    })
    .join(', ');
}

const CLAIMS: Record<BehaviourSpec['kind'], (column: string) => string> = {
  invariant: (column) => `Another '${column}' does not move the answer`,
  increasing: (column) => `More '${column}' never lowers the answer`,
  decreasing: (column) => `More '${column}' never raises the answer`,
};
