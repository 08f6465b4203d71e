import {
  METRIC_TITLES,
  metricSchema,
  type MetricValues,
  type TrainedCard,
  type ToolkitCard,
} from '@perennial/contract';
import { countText, instantText, numberText, secondsText } from '../document/number-text.ts';
import { distributionPlot } from '../plots/distribution-plot.ts';
import { importancePlot } from '../plots/importance-plot.ts';
import { plotPng } from '../plots/png.ts';
import type { Plot } from '../plots/plot.ts';
import { reliabilityPlot } from '../plots/reliability-plot.ts';
import { evaluationPlots } from './evaluation-plots.ts';
import { sliceText } from './gate-section.ts';

/** Pictures of columns in one card: each is some 5 KB, and a wide table would make a card of megabytes. */
const COLUMN_PICTURES = 24;

/**
 * A card in the fields of Google's Model Card Toolkit, schema v0.0.2. The schema knows neither intervals nor a gate and takes no further fields: both are
 * in the full card, the sidecar, which `references` leads to.
 * @param sidecar the absolute address of the full card; the schema wants URIs
 */
export async function toolkitCard(card: TrainedCard, sidecar: string): Promise<ToolkitCard> {
  return {
    schema_version: '0.0.2',
    model_details: modelDetails(card, sidecar),
    model_parameters: {
      model_architecture: architecture(card),
      data: await datasets(card),
      input_format: card.signature.inputs.map(({ name, type }) => `${name}: ${type}`).join('\n'),
      output_format: outputFormat(card),
    },
    quantitative_analysis: {
      performance_metrics: performanceMetrics(card),
      graphics: {
        description: 'Drawn from the test rows; the full card has the numbers.',
        collection: await pictures(analysisPlots(card)),
      },
    },
    considerations: considerations(card),
  };
}

function modelDetails(card: TrainedCard, sidecar: string): ToolkitCard['model_details'] {
  const { description, owners } = card.overview;
  const [overview = '', ...more] = description.split(/\n\s*\n/);
  return {
    name: card.model,
    overview,
    ...(more.length > 0 && { documentation: description }),
    owners: owners.map(owner),
    version: {
      name: String(card.version),
      date: card.createdAt.slice(0, 10),
      ...(card.history.length > 0 && { diff: `Gate: ${card.gate.verdict}. ${card.gate.explanation}` }),
    },
    references: [{ reference: sidecar }],
  };
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

function outputFormat({ signature: { output } }: TrainedCard): string {
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

/** What the author said and the gate found: who uses it and what is at risk is nothing to be made up. */
function considerations({ overview, gate }: TrainedCard): ToolkitCard['considerations'] {
  const { intendedUse, limitations } = overview;
  const worst = gate.slices.worst.filter(({ clearlyWorse }) => clearlyWorse);
  return {
    users: [],
    use_cases: intendedUse === '' ? [] : [{ description: intendedUse }],
    limitations: limitations.map((description) => ({ description })),
    tradeoffs: worst.map(({ slice, metric }) => ({
      description: `${METRIC_TITLES[metric]} is clearly worse than the champion's where ${sliceText(slice)}.`,
    })),
    ethical_considerations: [],
  };
}
