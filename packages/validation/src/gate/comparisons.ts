import type {
  Comparison,
  Digest,
  Evaluation,
  GateSpec,
  NotWorseSpec,
  TestSetWear,
  Verdict,
} from '@perennial/contract';
import { metricOf } from '../metrics/metric-of.ts';
import { plainValue } from '../metrics/row-metric.ts';
import type { RowClusters } from '../scoring/row-clusters.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import {
  estimateDifference,
  estimateMetric,
  twoSidedConfidence,
  type ComparisonEstimate,
} from './compare.ts';
import {
  explainAllSeen,
  explainComparison,
  explainNoBaseline,
  explainSameArtifact,
  explainSpent,
  explainUndecidable,
  explainUnusableChampion,
} from './explanation.ts';
import { holm } from './holm.ts';
import { rowsToSettle } from './rows-to-settle.ts';
import { errorOfComparison, isSpent, wearOf, type Allowance } from './test-set-wear.ts';

/** The champion as the gate sees it: its answers for the same rows, or what kept it from giving them. */
export interface GateChampion {
  model: string;
  version: number;
  artifact: Digest;
  answers: { scored: ScoredRows } | { problem: string };
}

export interface GateQuestion {
  gate: GateSpec;
  dataset: Digest;
  /** Digest of the test split. */
  split: Digest;
  /** The test rows that count, and how many of the others there were. */
  candidate: { artifact: Digest; scored: ScoredRows };
  seenRows: number;
  champion: GateChampion | null;
  clusters: RowClusters;
  /** Puts the question on the rows' ledger; called once, before any difference is computed, and only when one is. */
  debit: (champion: Digest) => Promise<Allowance>;
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

type Intervals = Evaluation['intervals'];

/** The gate's comparisons, one per metric in the gate's order, and the metrics' intervals that they yielded by the way. */
export interface GateAnswer {
  comparisons: Comparison[];
  testSet: TestSetWear | null;
  intervals: { candidate: Intervals; champion: Intervals };
}

/**
 * Answers whether the candidate is not worse than the champion, metric by metric. A comparison passes when the hypothesis that the
 * candidate is worse by the margin or more is rejected, fails when the hypothesis that it is not is rejected, each at the error that the
 * test set's ledger allows and with p-values adjusted by Holm over the metrics; between, it is `inconclusive`. So is what cannot be decided:
 * no value, too few rows, rows that were asked too often, a champion that cannot answer.
 *
 * @throws MetricKindError when a metric of the gate does not belong to the label
 */
export async function answerComparisons(question: GateQuestion): Promise<GateAnswer> {
  const { champion, candidate } = question;
  if (rowsOf(question) === 0 && question.seenRows > 0)
    return await withoutDifference(question, allSeen(question.seenRows));
  if (champion === null) return await withoutDifference(question, noBaseline(question));
  if ('problem' in champion.answers)
    return await withoutDifference(question, unusableChampion(champion.version, champion.answers.problem));
  if (champion.artifact === candidate.artifact) return await sameArtifact(question, champion);
  const allowance = await question.debit(champion.artifact);
  const testSet = wearOf(question.split, allowance, {
    allowed: 1 - primaryOf(question.gate).confidence,
    metrics: question.gate.comparisons.length,
  });
  if (isSpent(allowance)) return { ...withoutValues(question, spent(allowance.budget)), testSet };
  return { ...(await compared(question, { champion, scored: champion.answers.scored, allowance })), testSet };
}

/** Every metric's estimate at the error it is allowed, in the gate's order. */
interface Estimated {
  spec: NotWorseSpec;
  error: number;
  estimate: ComparisonEstimate;
}

interface Opponent {
  champion: GateChampion;
  scored: ScoredRows;
  allowance: Allowance;
}

async function compared(question: GateQuestion, opponent: Opponent): Promise<Omit<GateAnswer, 'testSet'>> {
  const { gate, dataset, candidate, clusters, onProgress, signal } = question;
  const estimated: Estimated[] = [];
  for (const [index, spec] of gate.comparisons.entries()) {
    const error = errorOfComparison({
      allowed: 1 - spec.confidence,
      comparison: opponent.allowance.comparison,
      metrics: gate.comparisons.length,
    });
    const estimate = await estimateDifference({
      spec,
      error,
      seed: [dataset, candidate.artifact, opponent.champion.artifact, spec.metric],
      candidate: candidate.scored,
      champion: opponent.scored,
      clusters: (spec.cluster && clusters[spec.cluster]) ?? null,
      ...(onProgress && { onProgress: (done) => onProgress((index + done) / gate.comparisons.length) }),
      ...(signal && { signal }),
    });
    estimated.push({ spec, error, estimate });
  }
  return {
    comparisons: judged(estimated, { rows: rowsOf(question), version: opponent.champion.version }),
    intervals: intervalsOf(estimated),
  };
}

/** The verdicts of several metrics at once. A metric that could not be estimated counts among them: it is asked all the same. */
function judged(estimated: Estimated[], about: { rows: number; version: number }): Comparison[] {
  const p = (of: 'pNotWorse' | 'pWorse'): number[] =>
    holm(estimated.map(({ estimate }) => (estimate.kind === 'estimate' ? estimate[of] : 1)));
  const notWorse = p('pNotWorse');
  const worse = p('pWorse');
  return estimated.map(({ spec, error, estimate }, index) => {
    const base = { metric: spec.metric, margin: spec.margin, confidence: 1 - error };
    if (estimate.kind !== 'estimate') {
      const { candidate, champion, reason } = estimate;
      const explanation = explainUndecidable({ metric: spec.metric, candidate, champion }, reason);
      return { ...base, ...UNDECIDED, method: 'none', candidate, champion, explanation };
    }
    const pValues = { notWorse: notWorse[index]!, worse: worse[index]! };
    const verdict = verdictOf(pValues, error);
    const { difference, method, candidate, champion } = estimate;
    const settle = verdict === 'inconclusive' ? rowsToSettle(difference, spec.margin, about.rows) : null;
    const explanation = explainComparison(
      {
        spec,
        rows: about.rows,
        candidate: candidate.value,
        champion: { version: about.version, value: champion.value },
        difference,
        error,
        pValue: difference.value > -spec.margin ? pValues.notWorse : pValues.worse,
        comparisons: estimated.length,
        rowsToSettle: settle,
      },
      verdict,
    );
    return {
      ...base,
      method,
      candidate: candidate.value,
      champion: champion.value,
      difference,
      pValue: pValues.notWorse,
      verdict,
      explanation,
      rowsToSettle: settle,
    };
  });
}

const UNDECIDED = {
  difference: null,
  pValue: null,
  verdict: 'inconclusive',
  rowsToSettle: null,
} satisfies Partial<Comparison>;

function verdictOf(p: { notWorse: number; worse: number }, error: number): Verdict {
  if (p.notWorse < error) return 'pass';
  return p.worse < error ? 'fail' : 'inconclusive';
}

async function sameArtifact(question: GateQuestion, champion: GateChampion): Promise<GateAnswer> {
  const intervals = await intervalsAlone(question, question.candidate);
  const comparisons = question.gate.comparisons.map((spec): Comparison => {
    const value = valueOf(spec, question.candidate.scored);
    const error = 1 - spec.confidence;
    const base = { metric: spec.metric, margin: spec.margin, confidence: spec.confidence };
    if (value === null) {
      const reason = `The metric has no value on these rows.`;
      const values = { candidate: null, champion: null };
      const explanation = explainUndecidable({ metric: spec.metric, ...values }, reason);
      return { ...base, ...UNDECIDED, ...values, method: 'none', explanation };
    }
    return {
      ...base,
      method: 'the same file, nothing to compare',
      candidate: value,
      champion: value,
      difference: { value: 0, interval: { low: 0, high: 0, confidence: twoSidedConfidence(error) } },
      pValue: 0,
      verdict: 'pass',
      explanation: explainSameArtifact(spec.metric, { version: champion.version, value }),
      rowsToSettle: null,
    };
  });
  return { comparisons, testSet: null, intervals: { candidate: intervals, champion: intervals } };
}

/** What every comparison says where no difference is computed. */
type Undecided = (
  spec: NotWorseSpec,
) => Pick<Comparison, 'verdict' | 'explanation' | 'candidate' | 'champion'>;

async function withoutDifference(question: GateQuestion, undecided: Undecided): Promise<GateAnswer> {
  const { candidate, champion } = question;
  const intervals = {
    candidate: await intervalsAlone(question, candidate),
    champion:
      champion && 'scored' in champion.answers
        ? await intervalsAlone(question, { artifact: champion.artifact, scored: champion.answers.scored })
        : {},
  };
  return { ...withoutValues(question, undecided), intervals };
}

function withoutValues({ gate }: GateQuestion, undecided: Undecided): GateAnswer {
  const comparisons = gate.comparisons.map((spec) => ({
    metric: spec.metric,
    margin: spec.margin,
    confidence: spec.confidence,
    method: 'none',
    difference: null,
    pValue: null,
    rowsToSettle: null,
    ...undecided(spec),
  }));
  return { comparisons, testSet: null, intervals: { candidate: {}, champion: {} } };
}

function noBaseline(question: GateQuestion): Undecided {
  return (spec) => {
    const value = valueOf(spec, question.candidate.scored);
    const explanation = explainNoBaseline(spec.metric, value, rowsOf(question));
    return { verdict: 'no-baseline', explanation, candidate: value, champion: null };
  };
}

function inconclusive(explanation: string): Undecided {
  // No values: with both of them the difference would be told.
  return () => ({ verdict: 'inconclusive', explanation, candidate: null, champion: null });
}

const unusableChampion = (version: number, problem: string): Undecided =>
  inconclusive(explainUnusableChampion(version, problem));
const allSeen = (seen: number): Undecided => inconclusive(explainAllSeen(seen));
const spent = (budget: number): Undecided => inconclusive(explainSpent(budget));

function intervalsOf(estimated: Estimated[]): GateAnswer['intervals'] {
  const intervals: GateAnswer['intervals'] = { candidate: {}, champion: {} };
  for (const { spec, estimate } of estimated) {
    if (estimate.kind !== 'estimate') continue;
    intervals.candidate[spec.metric] = estimate.candidate.interval;
    intervals.champion[spec.metric] = estimate.champion.interval;
  }
  return intervals;
}

async function intervalsAlone(
  { gate, dataset, clusters, signal }: GateQuestion,
  model: { artifact: Digest; scored: ScoredRows },
): Promise<Intervals> {
  const intervals: Intervals = {};
  for (const spec of gate.comparisons) {
    const estimate = await estimateMetric({
      metric: spec.metric,
      scored: model.scored,
      confidence: twoSidedConfidence(1 - spec.confidence),
      replicates: spec.replicates,
      seed: [dataset, model.artifact, 'alone', spec.metric],
      clusters: (spec.cluster && clusters[spec.cluster]) ?? null,
      ...(signal && { signal }),
    });
    if (estimate !== null) intervals[spec.metric] = estimate.interval;
  }
  return intervals;
}

/** The gate's first comparison. */
export function primaryOf(gate: GateSpec): NotWorseSpec {
  const [primary] = gate.comparisons;
  if (primary === undefined) throw new TypeError('A gate has at least one comparison.');
  return primary;
}

function valueOf(spec: NotWorseSpec, scored: ScoredRows): number | null {
  return plainValue(metricOf(spec.metric, scored));
}

function rowsOf({ candidate }: GateQuestion): number {
  return candidate.scored.labels.length;
}
