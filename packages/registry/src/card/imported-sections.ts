import type { ImportedCard } from '@perennial/contract';
import type { Block, Fact, Section } from '../document/document.ts';
import { bytesText, countText, instantText, numberText } from '../document/number-text.ts';
import { signatureSection } from './data-sections.ts';
import { verdictBadge } from './verdict.ts';

/** What is said where a card of our own making would say something. */
export const NOT_KNOWN = 'Not known: this version was made elsewhere.';

/** What the card of a file from elsewhere has after what all versions have; what it lacks is said under the heading that it would have. */
export function importedSections(card: ImportedCard): Section[] {
  return [
    ...['Gate', 'Metrics', 'Data', 'Features and label'].map(unknownSection),
    signatureSection(card),
    fileSection(card),
    unknownSection('Training'),
    lineageSection(card),
    historySection(card),
  ];
}

function unknownSection(title: string): Section {
  return { title, blocks: [{ kind: 'text', text: NOT_KNOWN }] };
}

export function importedGlance({ file, sampleRows }: ImportedCard): Fact[] {
  return [
    ['Gate', { badge: 'not examined', tone: 'unsure' }],
    ['Made by', file.producer === '' ? 'not stated' : file.producer],
    ['File', bytesText(file.bytes)],
    ['Tried on', countText(sampleRows, 'row')],
  ];
}

function fileSection({ file, sampleRows }: ImportedCard): Section {
  const opsets = file.opsets.map(
    ({ domain, version }) => `${domain === '' ? 'ai.onnx' : domain} ${String(version)}`,
  );
  const operators: Block = {
    kind: 'table',
    caption: 'Operators, most frequent first',
    head: ['Operator', 'Times'],
    rows: file.operators.map(({ name, count }) => [name, numberText(count)]),
    numeric: [1],
  };
  return {
    title: 'File',
    blocks: [
      {
        kind: 'facts',
        caption: 'What the file says of itself',
        entries: [
          ['Digest, as it was given', { code: file.digest }],
          ['Bytes', numberText(file.bytes)],
          ['Made by', file.producer === '' ? 'not stated' : file.producer],
          ['Operator sets', opsets.join(', ')],
          ['Parameters', file.parameters === null ? 'not known' : numberText(file.parameters)],
          ['Tried before it was taken on', countText(sampleRows, 'row')],
        ],
      },
      ...(file.operators.length === 0 ? [] : [operators]),
    ],
  };
}

function lineageSection({ lineage, file }: ImportedCard): Section {
  const { by, note, platformVersion } = lineage;
  return {
    title: 'Lineage',
    blocks: [
      {
        kind: 'facts',
        caption: 'Where the version came from, as far as it is known',
        entries: [
          ['Registered by', by],
          ['From a file', { code: file.digest }],
          ['Made by', lineage.producer === '' ? 'not stated' : lineage.producer],
          ['Run', NOT_KNOWN],
          ['Dataset version', NOT_KNOWN],
          ['Platform', `Perennial ${platformVersion}`],
        ],
      },
      ...(note.trim() === '' ? [] : [{ kind: 'prose' as const, text: note }]),
    ],
  };
}

function historySection({ version, createdAt, history }: ImportedCard): Section {
  if (history.length === 0)
    return { title: 'History', blocks: [{ kind: 'text', text: 'This is the first version.' }] };
  return {
    title: 'History',
    blocks: [
      {
        kind: 'table',
        caption: 'Versions, newest first',
        head: ['Version', 'Registered', 'Verdict'],
        rows: [
          [`${numberText(version)} (this one)`, instantText(createdAt), 'imported'],
          ...history.map((earlier) => [
            numberText(earlier.version),
            instantText(earlier.createdAt),
            earlier.verdict === null ? 'imported' : verdictBadge(earlier.verdict),
          ]),
        ],
        numeric: [0],
      },
    ],
  };
}
