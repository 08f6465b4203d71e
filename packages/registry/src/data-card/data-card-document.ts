import {
  describeExpectation,
  splitNameSchema,
  type DataCard,
  type Expectation,
  type SplitName,
} from '@perennial/contract';
import { columnBlocks } from '../document/column-table.ts';
import type { Block, Document, Section, Table, Text } from '../document/document.ts';
import { bytesText, countText, instantText, numberText, percentText } from '../document/number-text.ts';
import { labelPlot } from '../plots/label-plot.ts';
import { describeSource } from './source-text.ts';

/** What a data card says, in the order in which a reader wants to know it. */
export function dataCardDocument(card: DataCard): Document {
  const rows = splitNameSchema.options.map((name) => card.splits[name].rows);
  return {
    title: `Data of ${card.pipeline}, up to ${card.asOf.slice(0, 10)}`,
    lead: ['Dataset version', { code: card.dataset }],
    glance: [
      ['Rows', numberText(rows.reduce((sum, count) => sum + count, 0))],
      ['Training rows', numberText(card.splits.train.rows)],
      ['Test rows', numberText(card.splits.test.rows)],
      ['Columns', numberText(card.columns.length)],
      ['Quarantined rows', numberText(card.quarantine.rows)],
    ],
    sections: [
      sourceSection(card),
      splitsSection(card),
      labelSection(card),
      { title: 'Columns', blocks: columnBlocks(card.columns) },
      expectationsSection(card),
      quarantineSection(card),
    ],
  };
}

function sourceSection({ source, files, window, asOf }: DataCard): Section {
  const { train, validation, test } = window;
  return {
    title: 'Source',
    blocks: [
      {
        kind: 'facts',
        caption: 'Where the rows come from',
        entries: [
          ['Source', describeSource(source)],
          ['As of', instantText(asOf)],
          [
            'Window',
            `${train} of training rows, then ${validation} of validation rows, then ${test} of test rows`,
          ],
        ],
      },
      ...fileBlocks(files),
    ],
  };
}

function fileBlocks(files: DataCard['files']): Block[] {
  if (files.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: `${countText(files.length, 'file')}, as read`,
      head: ['File', 'Size', 'Digest'],
      rows: files.map(({ name, bytes, digest }) => [name, bytesText(bytes), { code: digest }]),
      numeric: [1],
    },
  ];
}

function splitsSection({ splits }: DataCard): Section {
  const rows = splitNameSchema.options.map((name): Text[] => {
    const split = splits[name];
    return [
      name,
      numberText(split.rows),
      bytesText(split.bytes),
      instantText(split.from),
      instantText(split.to),
      { code: split.digest },
    ];
  });
  const head = ['Split', 'Rows', 'Size', 'From', 'To', 'Digest'];
  return {
    title: 'Splits',
    blocks: [
      { kind: 'table', caption: 'Parted by time, the test split newest', head, rows, numeric: [1, 2, 3, 4] },
    ],
  };
}

function labelSection({ labels }: DataCard): Section {
  const classes = [
    ...new Set(splitNameSchema.options.flatMap((name) => Object.keys(labels[name].classes ?? {}))),
  ];
  const table = classes.length === 0 ? meansTable(labels) : classesTable(labels, classes);
  const plot = labelPlot(labels, classes);
  return { title: 'Label', blocks: [table, { kind: 'plots', plots: plot === null ? [] : [plot] }] };
}

function classesTable(labels: DataCard['labels'], classes: readonly string[]): Table {
  return {
    kind: 'table',
    caption: 'Rows by class in each split, with their share of it',
    head: ['Class', ...splitNameSchema.options],
    rows: classes.map((name) => [
      name,
      ...splitNameSchema.options.map((split) => classText(labels[split], name)),
    ]),
    numeric: [1, 2, 3],
  };
}

function classText({ classes }: DataCard['labels'][SplitName], name: string): string {
  const counts = Object.values(classes ?? {});
  const all = counts.reduce((sum, count) => sum + count, 0);
  const count = classes?.[name] ?? 0;
  return all === 0 ? '0' : `${numberText(count)} (${percentText(count / all)})`;
}

function meansTable(labels: DataCard['labels']): Table {
  return {
    kind: 'table',
    caption: 'The label in each split',
    head: ['Split', 'Mean', 'Standard deviation'],
    rows: splitNameSchema.options.map((split) => {
      const { mean, standardDeviation } = labels[split];
      return [
        split,
        mean === null ? '' : numberText(mean),
        standardDeviation === null ? '' : numberText(standardDeviation),
      ];
    }),
    numeric: [1, 2],
  };
}

function expectationsSection({ expectations }: DataCard): Section {
  const block: Block =
    expectations.length === 0
      ? { kind: 'text', text: 'The pipeline expects nothing of its rows.' }
      : { kind: 'list', items: expectations.map(expectationText) };
  return { title: 'Expectations', blocks: [block] };
}

/** A predicate's name is what stands in the quarantine; what it asks for is its SQL. */
function expectationText(expectation: Expectation): Text {
  const words = describeExpectation(expectation);
  return expectation.kind === 'predicate' ? [words, { aside: expectation.sql }] : words;
}

function quarantineSection({ quarantine }: DataCard): Section {
  if (quarantine.rows === 0)
    return { title: 'Quarantine', blocks: [{ kind: 'text', text: 'No row was set aside.' }] };
  const kept: Text = quarantine.digest ? ['The rows are kept in', { code: quarantine.digest }] : '';
  return {
    title: 'Quarantine',
    blocks: [
      {
        kind: 'text',
        text: `${countText(quarantine.rows, 'row')} set aside, with the expectation that each broke.`,
      },
      {
        kind: 'table',
        caption: 'Rows that broke an expectation',
        head: ['Expectation', 'Rows'],
        rows: quarantine.reasons.map(({ reason, rows }) => [reason, numberText(rows)]),
        numeric: [1],
      },
      { kind: 'text', text: kept },
    ],
  };
}
