import type { Digest, GateReport, GateSpec, Interval } from '@perennial/contract';
import { metricOf } from '../metrics/metric-of.ts';
import { plainValue, type RowMetric } from '../metrics/row-metric.ts';
import { scoreOrder } from '../metrics/score-order.ts';
import { selectRows, type ScoredRows } from '../scoring/scored-rows.ts';
import {
  bootstrapDifference,
  bootstrapMetric,
  type BootstrapOptions,
  type Estimate,
  type PairedEstimate,
} from '../statistics/paired-bootstrap.ts';
import { pairedProportionInterval } from '../statistics/paired-proportions.ts';
import { shortageOf } from './evidence.ts';
import {
  explainComparison,
  explainNoBaseline,
  explainNoInterval,
  explainSameArtifact,
  explainTooFew,
  explainUndefined,
  explainUnusableChampion,
} from './explanation.ts';
import { orient, twoSided, verdictOf } from './verdict.ts';

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
  candidate: { artifact: Digest; scored: ScoredRows };
  champion: GateChampion | null;
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** The report, and the metric's intervals that the comparison yielded by the way. */
export interface GateAnswer {
  report: GateReport;
  intervals: { candidate: Interval | null; champion: Interval | null };
}

/**
 * Decides whether the candidate is not worse than the champion by the margin or more. The difference is resampled in pairs
 * (`bootstrapDifference`); its interval is two-sided at `2 · confidence − 1`, so that each of its bounds is one-sided at the gate's
 * confidence. What cannot be decided (no value, too few rows, a champion that cannot answer) is `inconclusive`, never `pass`.
 *
 * @throws MetricKindError when the gate's metric does not belong to the label
 */
export async function decideNotWorse(question: GateQuestion): Promise<GateAnswer> {
  const { champion, candidate } = question;
  if (champion === null) return await withoutChampion(question);
  if ('problem' in champion.answers)
    return await withUnusableChampion(question, champion, champion.answers.problem);
  if (champion.artifact === candidate.artifact) return await withSameArtifact(question, champion);
  return await withComparableChampion(question, champion, champion.answers.scored);
}

async function withoutChampion(question: GateQuestion): Promise<GateAnswer> {
  const { gate, candidate } = question;
  const estimate = await estimateAlone(question);
  const value = valueOf(gate, candidate.scored);
  const explanation = explainNoBaseline(gate, value, rowsOf(candidate.scored));
  return answer(question, { verdict: 'no-baseline', explanation }, { candidate: estimate });
}

async function withUnusableChampion(
  question: GateQuestion,
  champion: GateChampion,
  problem: string,
): Promise<GateAnswer> {
  const explanation = explainUnusableChampion(champion.version, problem);
  const estimate = await estimateAlone(question);
  return answer(question, { verdict: 'inconclusive', explanation }, { candidate: estimate });
}

async function withSameArtifact(question: GateQuestion, champion: GateChampion): Promise<GateAnswer> {
  const { gate, candidate } = question;
  const rows = rowsOf(candidate.scored);
  const estimate = await estimateAlone(question);
  const value = valueOf(gate, candidate.scored);
  if (value === null)
    return answer(question, { verdict: 'inconclusive', explanation: explainUndefined(gate, rows) });
  const confidence = twoSided(gate.confidence);
  const difference = { value: 0, interval: { low: 0, high: 0, confidence } };
  const comparison = {
    gate,
    rows,
    candidate: value,
    champion: { version: champion.version, value },
    difference,
  };
  return answer(
    question,
    { verdict: 'pass', explanation: explainSameArtifact(comparison), difference },
    { candidate: estimate, champion: estimate },
  );
}

async function withComparableChampion(
  question: GateQuestion,
  champion: GateChampion,
  championRows: ScoredRows,
): Promise<GateAnswer> {
  const { gate, candidate } = question;
  const rows = rowsOf(candidate.scored);
  const models = prepare(gate, candidate.scored, championRows);
  const champions = plainValue(models.champion);
  if (plainValue(models.candidate) === null || champions === null) {
    return answer(question, { verdict: 'inconclusive', explanation: explainUndefined(gate, rows) });
  }
  const paired = await bootstrapDifference(models, bootstrapOptions(question, champion.artifact));
  if (paired === null) {
    return answer(question, { verdict: 'inconclusive', explanation: explainNoInterval(gate, rows) });
  }
  const difference = orient(gate.metric, widened(question, championRows, paired));
  const compared = {
    gate,
    rows,
    candidate: paired.candidate.value,
    champion: { version: champion.version, value: paired.champion.value },
    difference,
  };
  const shortage = shortageOf(gate.metric, candidate.scored);
  const verdict = shortage === null ? verdictOf(difference, gate.margin) : 'inconclusive';
  const explanation =
    shortage === null ? explainComparison(compared, verdict) : explainTooFew(compared, shortage);
  return answer(question, { verdict, explanation, difference }, paired);
}

/** Rows go in the order of the candidate's scores where the metric ranks: weights are then read one after another, twice as fast. */
function prepare(
  gate: GateSpec,
  candidate: ScoredRows,
  champion: ScoredRows,
): { candidate: RowMetric; champion: RowMetric } {
  if (gate.metric !== 'auc' || candidate.kind !== 'binary') {
    return { candidate: metricOf(gate.metric, candidate), champion: metricOf(gate.metric, champion) };
  }
  const order = scoreOrder(candidate.probability);
  return {
    candidate: metricOf(gate.metric, selectRows(candidate, order)),
    champion: metricOf(gate.metric, selectRows(champion, order)),
  };
}

/** The difference, its interval widened for accuracy to cover what few disagreements cannot show, see `pairedProportionInterval`. */
function widened(question: GateQuestion, championRows: ScoredRows, paired: PairedEstimate): Estimate {
  const { difference } = paired;
  const scored = question.candidate.scored;
  if (question.gate.metric !== 'accuracy') return difference;
  if (scored.kind === 'regression' || championRows.kind === 'regression') return difference;
  const rows = rowsOf(scored);
  const pairs = { onlyFirst: 0, onlySecond: 0, rows };
  for (let row = 0; row < rows; row++) {
    const first = scored.decision[row] === scored.labels[row];
    const second = championRows.decision[row] === championRows.labels[row];
    if (first && !second) pairs.onlyFirst++;
    if (second && !first) pairs.onlySecond++;
  }
  const { low, high, confidence } = difference.interval;
  const other = pairedProportionInterval(pairs, confidence);
  return {
    value: difference.value,
    interval: { low: Math.min(low, other.low), high: Math.max(high, other.high), confidence },
  };
}

async function estimateAlone(question: GateQuestion): Promise<Estimate | null> {
  const metric = metricOf(question.gate.metric, question.candidate.scored);
  return await bootstrapMetric(metric, bootstrapOptions(question, 'alone'));
}

function bootstrapOptions(question: GateQuestion, against: string): BootstrapOptions {
  const { gate, dataset, candidate, onProgress, signal } = question;
  return {
    replicates: gate.replicates,
    confidence: twoSided(gate.confidence),
    seed: [dataset, candidate.artifact, against, gate.metric],
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  };
}

function answer(
  question: GateQuestion,
  decided: Pick<GateReport, 'verdict' | 'explanation'> & Partial<Pick<GateReport, 'difference'>>,
  estimates: { candidate?: Estimate | null; champion?: Estimate | null } = {},
): GateAnswer {
  const { gate, dataset, candidate, champion } = question;
  const championRows = champion && 'scored' in champion.answers ? champion.answers.scored : null;
  return {
    report: {
      gate,
      verdict: decided.verdict,
      explanation: decided.explanation,
      dataset,
      rows: rowsOf(candidate.scored),
      candidate: { artifact: candidate.artifact, value: valueOf(gate, candidate.scored) },
      champion: champion && {
        model: champion.model,
        version: champion.version,
        artifact: champion.artifact,
        value: championRows && valueOf(gate, championRows),
      },
      difference: decided.difference ?? null,
    },
    intervals: {
      candidate: estimates.candidate?.interval ?? null,
      champion: estimates.champion?.interval ?? null,
    },
  };
}

function valueOf(gate: GateSpec, scored: ScoredRows): number | null {
  return plainValue(metricOf(gate.metric, scored));
}

function rowsOf(scored: ScoredRows): number {
  return scored.labels.length;
}
