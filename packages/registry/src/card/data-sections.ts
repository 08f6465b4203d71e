import type { ModelCard, TrainedCard } from '@perennial/contract';
import { columnBlocks } from '../document/column-table.ts';
import type { Section } from '../document/document.ts';
import { instantText, numberText } from '../document/number-text.ts';
import { columnsOf, describeFeature, describeLabel } from './feature-text.ts';

export function dataSection({ data }: TrainedCard): Section {
  return {
    title: 'Data',
    blocks: [
      {
        kind: 'facts',
        caption: 'The dataset version; its data card says more',
        entries: [
          ['Dataset version', { code: data.dataset }],
          ['Rows from', instantText(data.from)],
          ['Rows to', instantText(data.to)],
          ['Training rows', numberText(data.rows.train)],
          ['Validation rows', numberText(data.rows.validation)],
          ['Test rows', numberText(data.rows.test)],
          ['Quarantined rows', numberText(data.quarantined)],
        ],
      },
      ...columnBlocks(data.columns),
    ],
  };
}

export function featuresSection({ features, label }: TrainedCard): Section {
  const rows = Object.entries(features).map(([name, feature]) => [
    name,
    feature.kind,
    columnsOf(feature).join(', '),
    describeFeature(feature),
  ]);
  return {
    title: 'Features and label',
    blocks: [
      {
        kind: 'table',
        caption: 'How raw columns become numbers',
        head: ['Feature', 'Kind', 'Columns', 'How'],
        rows,
      },
      {
        kind: 'text',
        text: [
          { strong: 'Label' },
          `${label.name} (${label.kind}): ${describeLabel(label)}. Made by: ${label.from}`,
        ],
      },
    ],
  };
}

export function signatureSection({ signature }: Pick<ModelCard, 'signature'>): Section {
  const { output } = signature;
  const classes = output.kind === 'multiclass' ? ` over ${output.classes.join(', ')}` : '';
  return {
    title: 'Input and output',
    blocks: [
      {
        kind: 'table',
        caption: 'The columns that a request gives',
        head: ['Column', 'Type'],
        rows: signature.inputs.map(({ name, type }) => [name, type]),
      },
      { kind: 'text', text: [{ strong: 'Output' }, `: ${output.kind}${classes}`] },
    ],
  };
}
