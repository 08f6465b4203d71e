import {
  CHECKS,
  type Baseline,
  type CheckName,
  type CheckResult,
  type Evaluation,
  type FeatureShift,
  type GateReport,
  type ServedReport,
} from '@perennial/contract';
import { baselineOf } from './baselines/baseline.ts';
import { constantAnswers } from './baselines/constant.ts';
import { checkBaselines } from './checks/baselines.ts';
import { checkExpectations } from './checks/behaviour/expectations.ts';
import { checkExtremeNumbers } from './checks/behaviour/extreme-numbers.ts';
import { checkMissingValues } from './checks/behaviour/missing-values.ts';
import { checkUnknownCategories } from './checks/behaviour/unknown-categories.ts';
import { checkCalibration } from './checks/calibration.ts';
import { checkConstantAnswers } from './checks/constant-answers.ts';
import {
  droppedCategoryFindings,
  featureShiftFindings,
  featureShifts,
  labelLeakFindings,
  unitChangeFindings,
  type CardPair,
} from './checks/data/index.ts';
import type { CheckFinding } from './checks/finding.ts';
import { checkLimits } from './checks/limits.ts';
import { examineServed, type ServedExamination } from './checks/served/examine-served.ts';
import { severityOf, withSeverities } from './checks/severities.ts';
import { checkSlices } from './checks/slices.ts';
import { primaryOf } from './gate/comparisons.ts';
import { askGoldenSet } from './golden/golden-set.ts';
import type { ScoredRows } from './scoring/scored-rows.ts';
import type { Contenders, TestRows } from './scoring/test-rows.ts';
import { compareSlices, type ComparedSlices } from './slices/compare-slices.ts';
import { findSlices } from './slices/find-slices.ts';
import type { ValidationInput } from './validation-input.ts';

/** What the checks go by. */
export interface Subject {
  input: ValidationInput;
  contenders: Contenders;
  rows: TestRows;
  evaluation: Evaluation;
  /** Whether the test rows were asked too often: what they say of candidate against champion is then not told, on slices neither. */
  spent: boolean;
}

export interface Examination {
  /** In the order of the contract's table of checks. */
  checks: CheckResult[];
  slices: GateReport['slices'];
  shifts: FeatureShift[];
  served: ServedReport | null;
  baselines: Baseline[];
}

/** Runs every check that the pipeline has not switched off. */
export async function examine(subject: Subject): Promise<Examination> {
  const { input, rows } = subject;
  const baselines = baselineAnswers(subject);
  const slices = await slicesOf(subject);
  const { report: served, findings: servedFindings } = await servedOf(subject);
  const cards = cardsOf(input);
  const shifts = cards === null ? [] : featureShifts(cards);
  const findings = [
    ...(await dataFindings(input, cards, shifts)),
    ...candidateFindings(subject, baselines),
    ...(await behaviourFindings(subject)),
    ...checkSlices(slices, sliceMargin(subject)),
    ...(await goldenFindings(subject)),
    ...servedFindings,
    ...checkLimits(input.spec.validate.gate.limits, { evaluation: subject.evaluation, served }),
  ];
  findings.sort((a, b) => placeOf(a) - placeOf(b));
  const { compared, tooSmall, worst } = slices;
  return {
    checks: withSeverities(findings, input.spec.validate),
    slices: { compared, tooSmall, worst },
    shifts: shifts.slice(0, MOST_SHIFTS),
    served,
    baselines: [
      ...(baselines.constant ? [baselineOf('constant', baselines.constant)] : []),
      ...(baselines.linear ? [baselineOf('linear', baselines.linear)] : []),
    ].filter(() => rows.candidate.labels.length > 0),
  };
}

/** Moved features that the report names. */
const MOST_SHIFTS = 10;
const ORDER = Object.keys(CHECKS) as CheckName[];

function placeOf({ name }: CheckFinding): number {
  return ORDER.indexOf(name);
}

interface BaselineAnswers {
  constant: ScoredRows | null;
  linear: ScoredRows | null;
}

function baselineAnswers({ input, rows }: Subject): BaselineAnswers {
  const { card, manifest } = input;
  return {
    constant: constantAnswers(rows.candidate, { label: manifest.label, train: card.labels.train }),
    linear: rows.linear && 'scored' in rows.linear ? rows.linear.scored : null,
  };
}

/** The data cards of both models; null where there is nothing to compare with. */
function cardsOf({ card, champion, manifest }: ValidationInput): CardPair | null {
  if (champion === null || champion.card === null) return null;
  return { candidate: card, champion: champion.card, encoder: manifest.encoder };
}

/** Checks of the rows that the candidate was trained and is judged on, by themselves and against the champion's. */
async function dataFindings(
  input: ValidationInput,
  cards: CardPair | null,
  shifts: FeatureShift[],
): Promise<CheckFinding[]> {
  const { testFile: file, manifest } = input;
  const leaks = isOn(input, 'label-leak') ? await labelLeakFindings({ file, manifest }) : [];
  if (cards === null)
    return [...leaks, ...(['unit-change', 'dropped-category', 'feature-shift'] as const).map(noCards)];
  return [
    ...leaks,
    ...unitChangeFindings(cards),
    ...droppedCategoryFindings(cards),
    ...featureShiftFindings(shifts),
  ];
}

function noCards(name: 'unit-change' | 'dropped-category' | 'feature-shift'): CheckFinding {
  const explanation = 'There are no training rows of a champion to compare with.';
  return { name, subject: null, outcome: 'skipped', explanation, measured: null, limit: null };
}

/** Checks of the answers that have been scored. */
function candidateFindings({ input, rows, evaluation }: Subject, baselines: BaselineAnswers): CheckFinding[] {
  const comparison = primaryOf(input.spec.validate.gate);
  return [
    ...checkConstantAnswers(rows.candidate, rows.sample),
    ...checkBaselines({
      comparison,
      candidate: rows.candidate,
      ...baselines,
      clusters: clustersOf(input, rows),
    }),
    ...checkCalibration(evaluation.calibration),
  ];
}

/** Checks that ask the candidate again, about rows that were changed. */
async function behaviourFindings({ input, contenders, rows }: Subject): Promise<CheckFinding[]> {
  const { behaviour } = input.spec.validate;
  const question = {
    model: contenders.candidate,
    sample: rows.sample,
    ...(input.signal && { signal: input.signal }),
  };
  return [
    ...(isOn(input, 'missing-values') ? await checkMissingValues(question) : []),
    ...(isOn(input, 'unknown-categories') ? await checkUnknownCategories(question) : []),
    ...(isOn(input, 'extreme-numbers') ? await checkExtremeNumbers(question) : []),
    ...(isOn(input, 'behaviour') ? await checkExpectations({ ...question, behaviour }) : []),
  ];
}

/** The slices stand in the report also where their check is switched off. */
async function slicesOf(subject: Subject): Promise<ComparedSlices> {
  const { input, rows, spent } = subject;
  const { pairs, minRows, margin } = input.spec.validate.slices;
  const { champion } = rows;
  if (champion === null || 'problem' in champion || spent || isSameFile(input))
    return { compared: 0, tooSmall: 0, worst: [], clearlyWorse: [] };
  return await compareSlices({
    comparison: primaryOf(input.spec.validate.gate),
    margin,
    candidate: rows.candidate,
    champion: champion.scored,
    clusters: clustersOf(input, rows),
    found: await findSlices(rows.slices, { pairs, minRows }),
    signal: input.signal,
  });
}

function sliceMargin({ input }: Subject): number {
  const { gate, slices } = input.spec.validate;
  return slices.margin ?? primaryOf(gate).margin;
}

async function goldenFindings({ input, contenders }: Subject): Promise<CheckFinding[]> {
  if (!isOn(input, 'golden-set')) return [];
  const findings: CheckFinding[] = [];
  for (const goldenSet of input.goldenSets) {
    const { candidate, champion } = contenders;
    const comparison = primaryOf(input.spec.validate.gate);
    findings.push(
      ...(await askGoldenSet({ goldenSet, comparison, candidate, champion, signal: input.signal })),
    );
  }
  return findings;
}

async function servedOf({ input, contenders, rows }: Subject): Promise<ServedExamination> {
  const { startServer, spec, candidate, champion, signal } = input;
  if (startServer === null) return { report: null, findings: [] };
  const model = rows.champion && 'scored' in rows.champion ? contenders.champion : null;
  return await examineServed({
    start: startServer,
    name: spec.name,
    candidate: { file: candidate.file, model: contenders.candidate },
    champion:
      champion === null || model === null || 'problem' in model ? null : { file: champion.file, model },
    batch: rows.sample.batch,
    signal,
  });
}

function isOn({ spec }: ValidationInput, name: CheckName): boolean {
  return severityOf(name, spec.validate) !== 'off';
}

function isSameFile({ candidate, champion }: ValidationInput): boolean {
  return champion?.artifact === candidate.artifact;
}

function clustersOf({ spec }: ValidationInput, { clusters }: TestRows): Int32Array | null {
  const { cluster } = primaryOf(spec.validate.gate);
  return (cluster && clusters[cluster]) ?? null;
}
