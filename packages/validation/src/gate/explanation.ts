import { METRIC_TITLES, type GateSpec, type Metric, type Verdict } from '@perennial/contract';
import { rowsToSettle, type Difference } from './verdict.ts';

/** Two models' values of the gate's metric and what lies between them. */
export interface Comparison {
  gate: GateSpec;
  rows: number;
  candidate: number;
  champion: { version: number; value: number };
  difference: Difference;
}

export function explainComparison(comparison: Comparison, verdict: Verdict): string {
  return `${explainValues(comparison)} ${explainVerdict(comparison, verdict)}`;
}

/** The candidate is the very file that is in production. */
export function explainSameArtifact(comparison: Comparison): string {
  const { gate, champion } = comparison;
  return `The candidate is the same file as the champion, version ${champion.version} (${title(gate.metric)} ${metricText(champion.value)}): it cannot be worse.`;
}

export function explainNoBaseline(gate: GateSpec, value: number | null, rows: number): string {
  const measured =
    value === null
      ? `Its ${title(gate.metric)} cannot be computed on ${rowsText(rows)}.`
      : `Its ${title(gate.metric)} is ${metricText(value)} on ${rowsText(rows)}.`;
  return `There is no champion to compare the candidate with. ${measured}`;
}

export function explainUnusableChampion(version: number, problem: string): string {
  return `The champion, version ${version}, cannot be compared on these rows: ${problem}. Whether the candidate is worse is not known.`;
}

/** Why the metric has no value on the rows. */
export function explainUndefined(gate: GateSpec, rows: number): string {
  const name = title(gate.metric);
  if (rows === 0) return `There are no test rows to compute ${name} on.`;
  return `${upperFirst(name)} cannot be computed on ${rowsText(rows)}: they all have the same label. Nothing follows about the candidate.`;
}

/** The metric has a value, but too many resamples of the rows have none. */
export function explainNoInterval(gate: GateSpec, rows: number): string {
  return `${upperFirst(title(gate.metric))} has no interval on ${rowsText(rows)}: too many resamples of them hold one label only. More rows of the rarer label are needed.`;
}

export function explainTooFew(comparison: Comparison, shortage: string): string {
  return `${explainValues(comparison)} ${shortage}: too few to decide on.`;
}

function explainValues({ gate, rows, candidate, champion, difference }: Comparison): string {
  const values = `On ${rowsText(rows)} the candidate's ${title(gate.metric)} is ${metricText(candidate)}`;
  if (difference.value === 0) return `${values}, the same as the champion's (version ${champion.version}).`;
  const better = difference.value > 0 ? 'better' : 'worse';
  return `${values}, ${metricText(Math.abs(difference.value))} ${better} than the champion's ${metricText(champion.value)} (version ${champion.version}).`;
}

function explainVerdict(comparison: Comparison, verdict: Verdict): string {
  const { gate, difference } = comparison;
  const { low, high } = difference.interval;
  const confidence = `${metricText(gate.confidence * 100)} % confidence`;
  const margin = `the margin of ${metricText(gate.margin)}`;
  switch (verdict) {
    case 'pass':
      return low > 0
        ? `With ${confidence} it is better by at least ${metricText(low)}.`
        : `With ${confidence} it is worse by at most ${metricText(Math.abs(low))}, which is within ${margin}.`;
    case 'fail':
      return `With ${confidence} it is worse by at least ${metricText(Math.abs(high))}, which is beyond ${margin}.`;
    case 'inconclusive':
      return `The difference lies between ${signedText(low)} and ${signedText(high)} (${confidence} on each side), so that these rows cannot tell whether it is within ${margin}. ${explainRowsToSettle(comparison)}`;
    case 'no-baseline':
      return 'There is no champion to compare it with.';
  }
}

function explainRowsToSettle({ gate, rows, difference }: Comparison): string {
  const needed = rowsToSettle(difference, gate.margin, rows);
  return needed === null
    ? 'It lies so near the margin that no realistic number of rows would settle it.'
    : `About ${countText(needed)} rows would, should the difference stay as it is.`;
}

function title(metric: Metric): string {
  return METRIC_TITLES[metric];
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function rowsText(rows: number): string {
  return rows === 1 ? '1 test row' : `${countText(rows)} test rows`;
}

function countText(count: number): string {
  return new Intl.NumberFormat('en-US').format(count);
}

/** Four decimals, or two significant digits of what would vanish among them. */
function metricText(value: number): string {
  const digits = Math.abs(value) < 0.01 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 4 };
  return new Intl.NumberFormat('en-US', digits).format(value);
}

function signedText(value: number): string {
  return value > 0 ? `+${metricText(value)}` : metricText(value).replace('-', '−');
}
