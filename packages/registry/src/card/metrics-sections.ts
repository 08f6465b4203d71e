import {
  HIGHER_IS_BETTER,
  METRIC_TITLES,
  metricSchema,
  type Evaluation,
  type Metric,
  type TrainedCard,
  type SliceEvaluation,
} from '@perennial/contract';
import { intervalColumn } from '../document/interval-column.ts';
import type { Block, Section, Table, Text } from '../document/document.ts';
import { countText, definedText, numberText, signedText } from '../document/number-text.ts';
import { sliceText } from './gate-section.ts';
import { evaluationPlots } from './evaluation-plots.ts';

/** Every metric of the version, beside the champion's and the baselines' on the same rows. */
export function metricsSection(card: TrainedCard): Section {
  const { evaluation } = card;
  const made = `On ${countText(evaluation.rows, 'row')} of the ${evaluation.split} split, computed from the exported file.`;
  return {
    title: 'Metrics',
    blocks: [
      { kind: 'text', text: made },
      metricsTable(card),
      { kind: 'list', items: [...means(evaluation), ...averagePrecision(evaluation)] },
      { kind: 'plots', plots: evaluationPlots(card) },
    ],
  };
}

function metricsTable({ evaluation, championEvaluation, baselines, gate }: TrainedCard): Table {
  const champion = championEvaluation ? [championHead(gate)] : [];
  const names = baselines.map(({ name }) => (name === 'constant' ? 'A constant' : 'A linear model'));
  const metrics = metricsOf(evaluation);
  const interval = intervalColumn(metrics.map((metric) => evaluation.intervals[metric]));
  const head = ['Metric', 'This version', interval.head, ...champion, ...names, 'Better is'];
  const rows = metrics.map((metric, index) => [
    METRIC_TITLES[metric],
    definedText(evaluation.metrics[metric]),
    interval.cells[index] ?? '',
    ...(championEvaluation ? [definedText(championEvaluation.metrics[metric])] : []),
    ...baselines.map(({ metrics }) => definedText(metrics[metric])),
    HIGHER_IS_BETTER[metric] ? 'higher' : 'lower',
  ]);
  const caption = 'Metrics of this version and of what it is measured against';
  return { kind: 'table', caption, head, rows, numeric: [...head.keys()].slice(1, -1) };
}

/** The metrics where rows have the same value of one slice column, or of two. */
export function slicesSection({ evaluation }: TrainedCard): Section | null {
  if (evaluation.slices.length === 0) return null;
  const metrics = metricsOf(evaluation);
  const groups = [...new Set(evaluation.slices.map(columnsOf))];
  const blocks = groups.flatMap((columns): Block[] => [
    { kind: 'heading', text: `By ${columns}` },
    slicesTable(
      columns,
      evaluation.slices.filter((slice) => columnsOf(slice) === columns),
      metrics,
    ),
  ]);
  return { title: 'Slices', blocks };
}

function columnsOf({ slice }: SliceEvaluation): string {
  return Object.keys(slice).join(' × ');
}

/** Rows of a table of slices; the JSON form of the card has them all. */
const SHOWN_SLICES = 25;

function slicesTable(columns: string, slices: readonly SliceEvaluation[], metrics: readonly Metric[]): Table {
  const shown = slices.toSorted((a, b) => b.rows - a.rows).slice(0, SHOWN_SLICES);
  const left = slices.length - shown.length;
  const rest =
    left === 0 ? '' : `; the largest ${SHOWN_SLICES}, ${numberText(left)} more in the JSON form of this card`;
  return {
    kind: 'table',
    caption: `${countText(slices.length, 'slice')} by ${columns}${rest}`,
    head: ['Slice', 'Rows', ...metrics.map((metric) => METRIC_TITLES[metric])],
    rows: shown.map(({ slice, rows, metrics: values }): Text[] => [
      sliceText(slice),
      numberText(rows),
      ...metrics.map((metric) => definedText(values[metric])),
    ]),
    numeric: [1, ...metrics.map((_, index) => index + 2)],
  };
}

export function championHead({ champion }: TrainedCard['gate']): string {
  return champion ? `Champion (version ${champion.version})` : 'Champion';
}

/** In the contract's order, whatever the order they are stored in. */
function metricsOf({ metrics }: Evaluation): Metric[] {
  return metricSchema.options.filter((metric) => metrics[metric] !== undefined);
}

function means({ meanPrediction, meanLabel }: Evaluation): string[] {
  if (meanPrediction === null || meanLabel === null) return [];
  const bias = signedText(meanPrediction - meanLabel);
  return [
    `Mean prediction ${numberText(meanPrediction)}, mean label ${numberText(meanLabel)}: a bias of ${bias}`,
  ];
}

function averagePrecision({ curves }: Evaluation): string[] {
  return curves === null ? [] : [`Average precision ${definedText(curves.averagePrecision)}`];
}
