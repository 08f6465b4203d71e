import {
  HIGHER_IS_BETTER,
  METRIC_TITLES,
  metricSchema,
  type Evaluation,
  type Interval,
  type Metric,
  type ModelCard,
  type SliceEvaluation,
} from '@perennial/contract';
import { bullets, code, facts, inline, numberText, section, table } from './markdown.ts';

/** The gate's verdict and what it rests on. */
export function gateSection({ gate: report }: ModelCard): string {
  const { gate, champion, difference } = report;
  const title = METRIC_TITLES[gate.metric];
  return section(
    'Gate',
    `**${report.verdict}**: ${inline(report.explanation)}`,
    facts([
      ['Rule', `${title} not worse than the champion's by ${numberText(gate.margin)} or more`],
      [
        'Confidence',
        `${percent(gate.confidence)} on either side, from ${numberText(gate.replicates)} resamples`,
      ],
      ['Candidate', valueText(report.candidate.value)],
      ['Champion', champion ? `${valueText(champion.value)} (version ${champion.version})` : 'none'],
      [
        'Difference (more is better)',
        difference ? `${numberText(difference.value)} ${intervalText(difference.interval)}` : 'not known',
      ],
      ['Test rows', numberText(report.rows)],
    ]),
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

/** The metrics where rows have one value of a slice column, the gate's metric beside the champion's. */
export function slicesSection({ evaluation, championEvaluation, gate }: ModelCard): string {
  const columns = [...new Set(evaluation.slices.map(({ column }) => column))];
  if (columns.length === 0) return '';
  const champions = new Map(championEvaluation?.slices.map((slice) => [sliceKey(slice), slice]));
  const primary = gate.gate.metric;
  const metrics = [primary, ...metricsOf(evaluation).filter((metric) => metric !== primary)];
  const [first, ...others] = metrics.map((metric) => METRIC_TITLES[metric]);
  const against = championEvaluation ? [`${first ?? ''} of ${championHead(gate).toLowerCase()}`] : [];
  const blocks = columns.flatMap((column) => {
    const slices = evaluation.slices.filter((slice) => slice.column === column);
    const rows = slices.map((slice) => {
      const [value, ...rest] = metrics.map((metric) => valueText(slice.metrics[metric] ?? null));
      const champion = champions.get(sliceKey(slice))?.metrics[primary] ?? null;
      const compared = championEvaluation ? [valueText(champion)] : [];
      return [sliceText(slice), numberText(slice.rows), value ?? '', ...compared, ...rest];
    });
    const head = ['Value', 'Rows', first ?? '', ...against, ...others];
    return [`### By ${inline(column)}`, table(head, rows, [...head.keys()].slice(1))];
  });
  return section('Slices', ...blocks);
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

function sliceKey({ column, value }: SliceEvaluation): string {
  return JSON.stringify([column, value]);
}

function sliceText({ value }: SliceEvaluation): string {
  return value === '' ? '(missing)' : inline(value);
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
