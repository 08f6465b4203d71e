import {
  HIGHER_IS_BETTER,
  METRIC_TITLES,
  metricSchema,
  type Evaluation,
  type Interval,
  type Metric,
  type ModelCard,
} from '@perennial/contract';
import { bullets, code, facts, inline, numberText, section, table } from './markdown.ts';

/** The gate's verdict and what it rests on. */
export function gateSection({ gate: report }: ModelCard): string {
  const rows = report.comparisons.map(({ metric, candidate, champion, difference, margin }) => [
    METRIC_TITLES[metric],
    valueText(candidate),
    valueText(champion),
    difference ? `${numberText(difference.value)} ${intervalText(difference.interval)}` : 'not known',
    numberText(margin),
  ]);
  return section(
    'Gate',
    `**${report.verdict}**: ${inline(report.explanation)}`,
    table(['Metric', 'Candidate', 'Champion', 'Difference (more is better)', 'Margin'], rows, [1, 2, 3, 4]),
    facts([['Test rows', numberText(report.rows)]]),
  );
}

/** Every metric of the version beside the champion's on the same rows. */
export function metricsSection({ evaluation, championEvaluation, gate }: ModelCard): string {
  const head = ['Metric', 'This version', ...(championEvaluation ? [championHead(gate)] : []), 'Better is'];
  const rows = metricsOf(evaluation).map((metric) => [
    METRIC_TITLES[metric],
    measured(evaluation, metric),
    ...(championEvaluation ? [measured(championEvaluation, metric)] : []),
    HIGHER_IS_BETTER[metric] ? 'higher' : 'lower',
  ]);
  return section(
    'Metrics',
    `On ${numberText(evaluation.rows)} rows of the ${evaluation.split} split, computed from the exported file.`,
    table(head, rows, championEvaluation ? [1, 2] : [1]),
    means(evaluation),
  );
}

function championHead({ champion }: ModelCard['gate']): string {
  return champion ? `Champion (version ${champion.version})` : 'Champion';
}

/** In the contract's order, whatever the order they are stored in. */
function metricsOf({ metrics }: Evaluation): Metric[] {
  return metricSchema.options.filter((metric) => metrics[metric] !== undefined);
}

function measured({ metrics, intervals }: Evaluation, metric: Metric): string {
  const interval = intervals[metric];
  const value = valueText(metrics[metric] ?? null);
  return interval ? `${value} ${intervalText(interval)}` : value;
}

function means({ meanPrediction, meanLabel }: Evaluation): string {
  if (meanPrediction === null || meanLabel === null) return '';
  return bullets([
    `Mean prediction ${numberText(meanPrediction)}, mean label ${numberText(meanLabel)}`,
    `Prediction bias ${numberText(meanPrediction - meanLabel)}`,
  ]);
}

function valueText(value: number | null): string {
  return value === null ? 'not defined' : numberText(value);
}

function intervalText({ low, high, confidence }: Interval): string {
  return `(${numberText(low)} to ${numberText(high)} at ${percent(confidence)})`;
}

function percent(share: number): string {
  return `${numberText(Number((share * 100).toPrecision(6)))} %`;
}

/** The verdict by itself, for the head of the card. */
export function verdictLine({ gate }: ModelCard): string {
  return `Gate: ${code(gate.verdict)}`;
}
