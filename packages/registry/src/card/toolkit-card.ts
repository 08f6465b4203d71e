import {
  METRIC_TITLES,
  metricSchema,
  type CardEvents,
  type ImportedCard,
  type MetricValues,
  type ModelCard,
  type ModelCardView,
  type ToolkitCard,
  type TrainedCard,
} from '@perennial/contract';
import { countText, instantText, numberText, secondsText } from '../document/number-text.ts';
import { distributionPlot } from '../plots/distribution-plot.ts';
import { importancePlot } from '../plots/importance-plot.ts';
import { plotPng } from '../plots/png.ts';
import type { Plot } from '../plots/plot.ts';
import { reliabilityPlot } from '../plots/reliability-plot.ts';
import { evaluationPlots } from './evaluation-plots.ts';
import { sliceText } from './gate-section.ts';
import { NOT_KNOWN } from './imported-sections.ts';
import { overrideText } from './release-sections.ts';

/** Pictures of columns in one card: each is some 5 KB, and a wide table would make a card of megabytes. */
const COLUMN_PICTURES = 24;

/**
 * A card in the fields of Google's Model Card Toolkit, schema v0.0.2. The schema knows neither intervals nor a gate and takes no further fields: both are
 * in the full card, the sidecar, which `references` leads to.
 * @param sidecar the absolute address of the full card; the schema wants URIs
 */
export async function toolkitCard(view: ModelCardView, sidecar: string): Promise<ToolkitCard> {
  const { card } = view;
  return {
    schema_version: '0.0.2',
    model_details: modelDetails(view, sidecar),
    model_parameters: {
      model_architecture: card.kind === 'trained' ? architecture(card) : fileText(card),
      data: card.kind === 'trained' ? await datasets(card) : [],
      input_format: card.signature.inputs.map(({ name, type }) => `${name}: ${type}`).join('\n'),
      output_format: outputFormat(card),
    },
    quantitative_analysis:
      card.kind === 'trained' ? await quantitativeAnalysis(card) : { performance_metrics: [] },
    considerations: considerations(view),
  };
}

function modelDetails({ card, since }: ModelCardView, sidecar: string): ToolkitCard['model_details'] {
  const { description, owners } = card.overview;
  const [overview = '', ...more] = description.split(/\n\s*\n/);
  const documentation = [more.length > 0 ? description : '', since.description].filter(
    (text) => text.trim() !== '',
  );
  return {
    name: card.model,
    overview,
    ...(documentation.length > 0 && { documentation: documentation.join('\n\n') }),
    owners: owners.map(owner),
    version: {
      name: String(card.version),
      date: card.createdAt.slice(0, 10),
      ...diff(card),
    },
    references: [{ reference: sidecar }],
  };
}

function diff(card: ModelCard): { diff?: string } {
  if (card.kind === 'imported' || card.history.length === 0) return {};
  return { diff: `Gate: ${card.gate.verdict}. ${card.gate.explanation}` };
}

/** An owner that is an address is its own contact. */
function owner(name: string): { name: string; contact?: string } {
  return name.includes('@') ? { name, contact: name } : { name };
}

function architecture({ training }: TrainedCard): string {
  const size = training.parameters === null ? '' : `, ${countText(training.parameters, 'parameter')}`;
  return [
    ...training.architecture,
    `Fitted on ${training.backend} in ${secondsText(training.seconds)}${size}.`,
  ].join('\n');
}

/** Of a file from elsewhere there are its operators, and nothing of how it was fitted. */
function fileText({ file }: ImportedCard): string {
  const made = file.producer === '' ? [] : [`Made by ${file.producer}.`];
  const operators = file.operators.map(({ name, count }) => `${name}: ${countText(count, 'time')}`);
  return [...operators, ...made, NOT_KNOWN].join('\n');
}

function outputFormat({ signature: { output } }: Pick<ModelCard, 'signature'>): string {
  switch (output.kind) {
    case 'binary':
      return `probability: float32 in 0 to 1\ndecision: true from ${numberText(output.threshold)}`;
    case 'multiclass':
      return `probabilities: float32 of each of ${output.classes.join(', ')}\ndecision: the most probable class`;
    case 'regression':
      return 'value: float32';
  }
}

async function datasets({ data, signature }: TrainedCard): Promise<ToolkitCard['model_parameters']['data']> {
  const inputs = new Set(signature.inputs.map(({ name }) => name));
  // What the model asks for comes first, since a wide table's columns do not all get a picture.
  const columns = data.columns.toSorted((a, b) => Number(inputs.has(b.name)) - Number(inputs.has(a.name)));
  const plots = columns.flatMap((column) => distributionPlot(column) ?? []).slice(0, COLUMN_PICTURES);
  const { train, validation, test } = data.rows;
  return [
    {
      name: `${data.dataset} (training)`,
      description: `${countText(train, 'training row')} and ${countText(validation, 'validation row')} from ${instantText(data.from)} on; ${countText(data.quarantined, 'row')} in quarantine.`,
      graphics: { description: 'Columns over the training rows.', collection: await pictures(plots) },
    },
    {
      name: `${data.dataset} (test)`,
      description: `${countText(test, 'test row')} up to ${instantText(data.to)}.`,
    },
  ];
}

async function quantitativeAnalysis(card: TrainedCard): Promise<ToolkitCard['quantitative_analysis']> {
  return {
    performance_metrics: performanceMetrics(card),
    graphics: {
      description: 'Drawn from the test rows; the full card has the numbers.',
      collection: await pictures(analysisPlots(card)),
    },
  };
}

/** The schema's value is a number: what is not defined is left out. */
function performanceMetrics({
  evaluation,
}: TrainedCard): ToolkitCard['quantitative_analysis']['performance_metrics'] {
  return [
    ...named(evaluation.metrics),
    ...evaluation.slices.flatMap(({ slice, metrics }) =>
      named(metrics).map((metric) => ({ ...metric, slice: sliceText(slice) })),
    ),
  ];
}

function named(metrics: MetricValues): { type: string; value: number }[] {
  return metricSchema.options.flatMap((metric) => {
    const value = metrics[metric];
    return value === null || value === undefined ? [] : [{ type: METRIC_TITLES[metric], value }];
  });
}

function analysisPlots(card: TrainedCard): Plot[] {
  const { calibration } = card.evaluation;
  const metric = card.gate.gate.comparisons[0]?.metric;
  return [
    ...evaluationPlots(card),
    ...(calibration && calibration.bins.length > 0 ? [reliabilityPlot(calibration)] : []),
    ...(metric && card.importance.length > 0
      ? [importancePlot(card.importance.slice(0, 25), METRIC_TITLES[metric])]
      : []),
  ];
}

async function pictures(plots: readonly Plot[]): Promise<{ name: string; image: string }[]> {
  const images: { name: string; image: string }[] = [];
  // One at a time: a bitmap of a plot is megabytes while it is drawn.
  for (const plot of plots)
    images.push({ name: plot.title, image: (await plotPng(plot)).toString('base64') });
  return images;
}

/** What the author said, the gate found and people decided: who uses it and what is at risk is nothing to be made up. */
function considerations({ card, since }: ModelCardView): ToolkitCard['considerations'] {
  const { intendedUse, limitations } = card.overview;
  return {
    users: [],
    use_cases: intendedUse === '' ? [] : [{ description: intendedUse }],
    limitations: [...limitations, ...unexamined(card)].map((description) => ({ description })),
    tradeoffs: tradeoffs(card, since).map((description) => ({ description })),
    ethical_considerations: [],
  };
}

function unexamined(card: ModelCard): string[] {
  return card.kind === 'imported' ? [`Metrics, data and training. ${NOT_KNOWN}`] : [];
}

function tradeoffs(card: ModelCard, { overrides }: CardEvents): string[] {
  const worst = card.kind === 'trained' ? card.gate.slices.worst : [];
  return [
    ...overrides.map(overrideText),
    ...worst
      .filter(({ clearlyWorse }) => clearlyWorse)
      .map(
        ({ slice, metric }) =>
          `${METRIC_TITLES[metric]} is clearly worse than the champion's where ${sliceText(slice)}.`,
      ),
  ];
}
