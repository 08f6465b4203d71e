import type { ModelCard, TrainSpec } from '@perennial/contract';
import { gateSection, metricsSection, verdictLine } from './evaluation-sections.ts';
import { columnsOf, describeFeature, describeLabel } from './feature-text.ts';
import {
  bullets,
  code,
  facts,
  inline,
  instantText,
  numberText,
  paragraphs,
  section,
  table,
} from './markdown.ts';

/** A model card as Markdown (GitHub's flavour). Text of the author and of the data is escaped: it shows, and does nothing else. */
export function renderModelCardMarkdown(card: ModelCard): string {
  const parts = [
    `# ${card.model}, version ${card.version}`,
    `Registered ${instantText(card.createdAt)} from data up to ${instantText(card.data.asOf)}. ${verdictLine(card)}.`,
    overviewSection(card),
    gateSection(card),
    metricsSection(card),
    dataSection(card),
    featuresSection(card),
    signatureSection(card),
    trainingSection(card),
    originSection(card),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function overviewSection({ overview }: ModelCard): string {
  const { description, owners, intendedUse, limitations } = overview;
  return section(
    'Overview',
    paragraphs(description) || 'The author gives no description.',
    `**Owners**: ${owners.map(inline).join(', ') || 'not stated'}`,
    `**Intended use**: ${paragraphs(intendedUse) || 'not stated'}`,
    limitations.length === 0 ? '**Limitations**: none stated' : '**Limitations**',
    bullets(limitations.map(inline)),
  );
}

function dataSection({ data }: ModelCard): string {
  return section(
    'Data',
    facts([
      ['Dataset version', code(data.dataset)],
      ['Rows from', instantText(data.from)],
      ['Rows to', instantText(data.to)],
      ['Training rows', numberText(data.rows.train)],
      ['Validation rows', numberText(data.rows.validation)],
      ['Test rows', numberText(data.rows.test)],
      ['Quarantined rows', numberText(data.quarantined)],
    ]),
  );
}

function featuresSection({ features, label }: ModelCard): string {
  const rows = Object.entries(features).map(([name, feature]) => [
    inline(name),
    feature.kind,
    columnsOf(feature).map(inline).join(', '),
    describeFeature(feature),
  ]);
  return section(
    'Features and label',
    table(['Feature', 'Kind', 'Columns', 'How'], rows),
    `**Label** ${inline(label.name)} (${label.kind}): ${describeLabel(label)}. Made by: ${inline(label.from)}`,
  );
}

function signatureSection({ signature }: ModelCard): string {
  const { output } = signature;
  const classes = output.kind === 'multiclass' ? ` over ${output.classes.map(inline).join(', ')}` : '';
  return section(
    'Input and output',
    table(
      ['Column', 'Type'],
      signature.inputs.map(({ name, type }) => [inline(name), type]),
    ),
    `**Output**: ${output.kind}${classes}`,
  );
}

function trainingSection({ training }: ModelCard): string {
  const { spec, parity } = training;
  return section(
    'Training',
    facts([
      [spec.kind === 'command' ? 'Command' : 'Network', describeTrainer(spec)],
      ['Parameters', training.parameters === null ? 'not known' : numberText(training.parameters)],
      ...fitFacts(spec),
      ['Start', inline(training.warmStart.note)],
      ['Seed', String(training.seed)],
      ['Backend', `${training.backend} (${inline(training.device)})`],
      ['Time', `${numberText(training.seconds)} s`],
      [
        'Exported file against network',
        parity === null
          ? 'not applicable: the command left the file alone'
          : `at most ${numberText(parity.maxDifference)} apart on ${numberText(parity.rows)} rows`,
      ],
    ]),
    `### ${spec.kind === 'command' ? 'Operators' : 'Layers'}`,
    bullets(training.architecture.map(inline)),
    ...epochsTable(training.epochs),
  );
}

function fitFacts(spec: TrainSpec): [string, string][] {
  if (spec.kind === 'command') return [];
  const { optimizer, learningRate, batchSize } = spec;
  const fit = `${optimizer}, learning rate ${numberText(learningRate)}, batches of ${numberText(batchSize)}`;
  return [['Fit', fit]];
}

function epochsTable(epochs: ModelCard['training']['epochs']): string[] {
  if (epochs.length === 0) return [];
  const rows = epochs.map(({ epoch, loss, validationLoss }) => [
    numberText(epoch),
    numberText(loss),
    validationLoss === null ? '' : numberText(validationLoss),
  ]);
  return ['### Epochs', table(['Epoch', 'Loss', 'Validation loss'], rows, [0, 1, 2])];
}

function describeTrainer(spec: TrainSpec): string {
  switch (spec.kind) {
    case 'command':
      return inline(spec.command.join(' '));
    case 'custom':
      return "made by the pipeline's own function";
    case 'mlp': {
      const layers =
        spec.hidden.length === 0 ? 'no hidden layer' : `hidden layers of ${spec.hidden.join(', ')}`;
      const dropout = spec.dropout > 0 ? `, dropout ${numberText(spec.dropout)}` : '';
      return `${layers}, ${spec.activation}${dropout}${spec.batchNormalization ? ', batch normalisation' : ''}`;
    }
  }
}

/** Where the version came from, by content: each of these can be asked for again. */
function originSection({ training, data, gate }: ModelCard): string {
  return section(
    'Origin',
    facts([
      ['Artifact', `${code(training.artifact)} (${numberText(training.bytes)} bytes)`],
      ['Dataset version', code(data.dataset)],
      ['Weights began at', training.warmStart.from ? code(training.warmStart.from) : 'random numbers'],
      [
        'Compared with',
        gate.champion ? `${code(gate.champion.artifact)} (version ${gate.champion.version})` : 'nothing',
      ],
    ]),
  );
}
