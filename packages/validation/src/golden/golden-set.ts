import { METRIC_TITLES, type NotWorseSpec } from '@perennial/contract';
import { readSplit } from '@perennial/data';
import type { CheckFinding } from '../checks/finding.ts';
import { checkLimits } from '../checks/limits.ts';
import { numberText, rowsText } from '../checks/wording.ts';
import { ArtifactUnfitError } from '../errors.ts';
import { estimateDifference, type ComparisonEstimate } from '../gate/compare.ts';
import { metricValues } from '../metrics/metric-of.ts';
import { scoreSplit, type ScoredSplit, type ScoringModel, type TriedModel } from '../scoring/score-split.ts';
import type { GoldenSet } from '../validation-input.ts';

export interface GoldenQuestion {
  goldenSet: GoldenSet;
  /** The gate's primary comparison. */
  comparison: NotWorseSpec;
  candidate: ScoringModel;
  champion: TriedModel;
  signal?: AbortSignal | undefined;
}

/**
 * Whether a candidate passes a fixed set of rows too: by the primary metric it must be shown to be not worse than the champion by the set's margin,
 * and keep the set's own limits.
 *
 * A golden set is a regression test, not evidence of how the candidate does on rows that nobody has seen: its rows are the same every day, so
 * that candidates come to fit them, and it can only stop a candidate, never let one pass. Hence nothing is charged to a ledger for asking it,
 * and rows that a model was trained on count.
 *
 * @returns how it compares and then its limits; `skipped` is what its rows cannot tell
 */
export async function askGoldenSet(question: GoldenQuestion): Promise<CheckFinding[]> {
  let scored: ScoredSplit;
  try {
    scored = await score(question);
  } catch (error) {
    if (!(error instanceof ArtifactUnfitError)) throw error;
    return [finding(question, 'fail', `the candidate cannot answer: ${error.problem}.`)];
  }
  return [await compare(question, scored), ...limitFindings(question, scored)];
}

async function score({ goldenSet, comparison, candidate, champion, signal }: GoldenQuestion) {
  const { spec, manifest, testFile } = goldenSet;
  return await scoreSplit({
    batches: readSplit({ file: testFile, manifest }),
    dataset: spec.dataset,
    manifest,
    candidate,
    champion,
    linear: null,
    clusters: comparison.cluster === undefined ? [] : [comparison.cluster],
    sample: { eligible: new Uint32Array(0), most: 0 },
    ...(signal && { signal }),
  });
}

function limitFindings({ goldenSet }: GoldenQuestion, { candidate }: ScoredSplit): CheckFinding[] {
  const { name, limits } = goldenSet.spec;
  const evaluation = { metrics: metricValues(candidate), intervals: {}, calibration: null };
  return checkLimits(limits, { evaluation, served: null }).map((found) => ({
    ...found,
    name: 'golden-set',
    subject: name,
    explanation: `On the golden set '${name}': ${found.explanation.replace(/^The/, 'the')}`,
  }));
}

async function compare(question: GoldenQuestion, scored: ScoredSplit): Promise<CheckFinding> {
  const { goldenSet, comparison, candidate, signal } = question;
  const { champion } = scored;
  const rows = rowsText(scored.candidate.labels.length);
  if (champion === null)
    return finding(
      question,
      'pass',
      `the candidate answers ${rows}; there is no champion to compare it with.`,
    );
  if ('problem' in champion)
    return finding(question, 'skipped', `the champion cannot answer: ${champion.problem}. ${UNKNOWN}`);
  if (isSameFile(question))
    return finding(question, 'pass', 'the candidate is the same file as the champion.');
  const estimate = await estimateDifference({
    spec: { ...comparison, margin: marginOf(question) },
    error: 1 - comparison.confidence,
    seed: [goldenSet.spec.dataset, candidate.artifact, 'golden', comparison.metric],
    candidate: scored.candidate,
    champion: champion.scored,
    clusters: (comparison.cluster && scored.clusters[comparison.cluster]) ?? null,
    ...(signal && { signal }),
  });
  if (estimate.kind !== 'estimate') return finding(question, 'skipped', `${estimate.reason} ${UNKNOWN}`);
  return judge(question, estimate, rows);
}

const UNKNOWN = 'Whether the candidate is worse is not known.';

function judge(
  question: GoldenQuestion,
  estimate: Extract<ComparisonEstimate, { kind: 'estimate' }>,
  rows: string,
): CheckFinding {
  const { comparison } = question;
  const { candidate, champion, difference, pNotWorse, pWorse } = estimate;
  const error = 1 - comparison.confidence;
  const margin = numberText(marginOf(question));
  const values = `its ${METRIC_TITLES[comparison.metric]} is ${numberText(candidate.value)} on ${rows}, the champion's ${numberText(champion.value)}`;
  const measured = { measured: difference.value, limit: -marginOf(question) };
  if (pNotWorse < error)
    return {
      ...finding(question, 'pass', `the candidate is not worse by ${margin}: ${values}.`),
      ...measured,
    };
  if (pWorse < error)
    return {
      ...finding(question, 'fail', `the candidate is clearly worse by more than ${margin}: ${values}.`),
      ...measured,
    };
  const { low, high } = difference.interval;
  const between = `the difference lies between ${numberText(low)} and ${numberText(high)}`;
  const explanation = `the rows cannot tell whether the candidate is worse by ${margin}: ${values}, and ${between}.`;
  return { ...finding(question, 'skipped', explanation), ...measured };
}

function isSameFile({ candidate, champion }: GoldenQuestion): boolean {
  return champion !== null && 'artifact' in champion && champion.artifact === candidate.artifact;
}

function marginOf({ goldenSet, comparison }: GoldenQuestion): number {
  return goldenSet.spec.margin ?? comparison.margin;
}

/** @param explanation goes on from "On the golden set 'easy-cases': " */
function finding(
  { goldenSet }: GoldenQuestion,
  outcome: CheckFinding['outcome'],
  explanation: string,
): CheckFinding {
  const { name } = goldenSet.spec;
  return {
    name: 'golden-set',
    subject: name,
    outcome,
    explanation: `On the golden set '${name}': ${explanation}`,
    measured: null,
    limit: null,
  };
}
