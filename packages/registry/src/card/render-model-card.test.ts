import type { TrainedCard } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { readTags, textOf } from '../testing/page.ts';
import { sampleModelCard } from '../testing/sample-card.ts';
import { unreleased } from '../testing/sample-card-view.ts';
import { renderModelCardHtml, renderModelCardMarkdown } from './render-model-card.ts';

const SECTIONS = [
  'Overview',
  'Releases',
  'Gate',
  'Metrics',
  'Slices',
  'Calibration',
  'Confusion',
  'Feature importance',
  'Data',
  'Features and label',
  'Input and output',
  'Training',
  'Lineage',
  'History',
];

/** The card of a first version, of which little is known. */
function bareCard(): TrainedCard {
  const bare = sampleModelCard();
  bare.overview = { description: '', owners: [], intendedUse: '', limitations: [] };
  bare.championEvaluation = null;
  bare.gate = {
    ...bare.gate,
    verdict: 'no-baseline',
    champion: null,
    comparisons: [],
    checks: [],
    slices: { compared: 0, tooSmall: 0, worst: [] },
    shifts: [],
    served: null,
    testSet: null,
  };
  bare.evaluation = {
    ...bare.evaluation,
    slices: [],
    metrics: { auc: null },
    meanLabel: null,
    intervals: {},
    calibration: null,
    curves: null,
    confusion: null,
  };
  bare.baselines = [];
  bare.importance = [];
  bare.data.columns = [];
  bare.training.warmStart = { note: 'There is no champion.' };
  bare.training.calibration = null;
  bare.lineage.warmStartedFrom = null;
  bare.history = [];
  return bare;
}

/** A card whose every free text is `text`. */
function cardOf(text: string): TrainedCard {
  const card = sampleModelCard();
  card.overview = { description: text, owners: [text], intendedUse: text, limitations: [text] };
  card.label.from = text;
  card.gate.explanation = text;
  card.gate.comparisons.forEach((comparison) =>
    Object.assign(comparison, { explanation: text, method: text }),
  );
  card.gate.checks.forEach((check) => Object.assign(check, { explanation: text, subject: text }));
  card.gate.slices.worst.forEach((slice) => Object.assign(slice, { slice: { [text]: text } }));
  card.gate.shifts.forEach((shift) =>
    Object.assign(shift, { feature: text, column: text, description: text }),
  );
  card.evaluation.slices = [{ slice: { [text]: text }, rows: 30, metrics: { auc: 0.5 } }];
  card.evaluation.confusion = {
    classes: [text, 'b'],
    counts: [
      [1, 2],
      [3, 4],
    ],
  };
  card.importance.forEach((feature) => Object.assign(feature, { feature: text }));
  card.data.columns.forEach((column) => Object.assign(column, { name: text, type: text }));
  card.data.columns.forEach(({ top }) => top?.forEach((entry) => Object.assign(entry, { value: text })));
  card.signature.inputs = [{ name: text, type: 'text' }];
  card.signature.output = { kind: 'multiclass', classes: [text, 'b'] };
  Object.assign(card.training, { device: text, architecture: [text] });
  card.training.hardware = { cpu: text, cores: 1, memoryBytes: 1, node: text };
  card.training.warmStart.note = text;
  Object.assign(card.lineage, { device: text, backend: text, platformVersion: text });
  return card;
}

const HOSTILE = [
  '<img src=x onerror=alert(1)>|[a](javascript:b)\n\n## Gate\n\n**pass**',
  '"><script>alert(1)</script>',
  "' style='position:fixed",
  '</title></svg></table></style><iframe src="https://example.org">',
  '`code` ~~gone~~ <!-- ',
];

describe('renderModelCardMarkdown', () => {
  it('reads as it always has', () => {
    expect(renderModelCardMarkdown(unreleased(sampleModelCard()))).toMatchSnapshot();
  });

  it('has every section, once and in order', () => {
    const titles = renderModelCardMarkdown(unreleased(sampleModelCard())).match(/^## .*$/gm);
    expect(titles).toEqual(SECTIONS.map((title) => `## ${title}`));
  });

  it('says what is not known instead of leaving holes', () => {
    const markdown = renderModelCardMarkdown(unreleased(bareCard()));
    expect(markdown).toContain('The author gives no description.');
    expect(markdown).toContain('### Owners\n\nNot stated.');
    expect(markdown).toContain('### Limitations\n\nNone stated.');
    expect(markdown).toContain('| Compared with | nothing: there was no champion |');
    expect(markdown).toContain('| AUC | not defined |  | higher |');
    expect(markdown).toContain('| Weights began at | random numbers |');
    expect(markdown).toContain('This is the first version.');
    expect(markdown).not.toMatch(/^## (Slices|Calibration|Confusion|Feature importance)$/m);
    expect(markdown).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('puts the checks that failed before those that held, and those that stop a candidate first', () => {
    const card = sampleModelCard();
    const [check] = card.gate.checks;
    card.gate.checks = [
      { ...check!, subject: 'third', outcome: 'pass' },
      { ...check!, subject: 'fourth', outcome: 'skipped' },
      { ...check!, subject: 'second', outcome: 'fail', severity: 'report' },
      { ...check!, subject: 'first', outcome: 'fail', severity: 'fail' },
    ];
    const subjects = renderModelCardMarkdown(unreleased(card)).match(/\| (first|second|third|fourth) \|/g);
    expect(subjects).toEqual(['| first |', '| second |', '| third |', '| fourth |']);
  });

  it('says how many rows would settle what is inconclusive', () => {
    const card = sampleModelCard();
    Object.assign(card.gate.comparisons[0]!, { verdict: 'inconclusive', rowsToSettle: 41_000 });
    expect(renderModelCardMarkdown(unreleased(card))).toContain('about 41,000 rows would settle it');
  });

  it('renders regressions and many classes', () => {
    const regression = sampleModelCard();
    regression.label = { kind: 'regression', name: 'delay', from: 'delay' };
    regression.signature.output = { kind: 'regression' };
    expect(renderModelCardMarkdown(unreleased(regression))).toContain('**Output**: regression');
    const multiclass = sampleModelCard();
    const classes = Array.from({ length: 20 }, (_, index) => `class ${index}`);
    multiclass.label = { kind: 'multiclass', name: 'carrier', from: 'carrier', classes };
    multiclass.signature.output = { kind: 'multiclass', classes };
    const counts = classes.map((_, truth) =>
      classes.map((_, decided) => (decided === truth ? 90 : decided === 3 ? 10 : 0)),
    );
    multiclass.evaluation.confusion = { classes, counts };
    const markdown = renderModelCardMarkdown(unreleased(multiclass));
    expect(markdown).toContain('| class 1 | 100 | 90.0 % | class 3 | 10 |');
    expect(markdown).toContain('| class 3 | 90 | 100.0 % |  |  |');
  });

  it('says of a command what it ran, and leaves out what nobody knows', () => {
    const trained = sampleModelCard();
    trained.training = {
      ...trained.training,
      spec: { kind: 'command', command: ['python', 'train|*.py'], environment: [], seed: 7, timeout: '1h' },
      backend: 'command',
      parameters: null,
      architecture: ['TreeEnsembleClassifier'],
      epochs: [],
      warmStart: { note: 'not applicable' },
      parity: null,
    };
    const markdown = renderModelCardMarkdown(unreleased(trained));
    expect(markdown).toContain('| Command | python train\\|\\*.py |');
    expect(markdown).toContain('| Parameters | not known |');
    expect(markdown).toContain('| Exported file against network | not applicable');
    expect(markdown).toContain('### Operators\n\n- TreeEnsembleClassifier');
    expect(markdown).not.toMatch(/### Epochs|### Layers|learning rate/);
  });

  it.each(HOSTILE)('lets %j of the author or of the data become no markup', (hostile) => {
    const markdown = renderModelCardMarkdown(unreleased(cardOf(hostile)));
    expect(markdown).not.toMatch(/<(?:img|script|iframe|!--|\/)|[^\\]\[a\]/);
    expect(markdown.match(/^## Gate$/gm)).toHaveLength(1);
    const cells = (line: string): number => line.replace(/\\./g, '').split('|').length;
    const lines = markdown.split('\n');
    lines.forEach((line, index) => {
      const before = lines[index - 1];
      if (line.startsWith('|') && before?.startsWith('|')) expect(cells(line)).toBe(cells(before));
    });
  });
});

describe('renderModelCardHtml', () => {
  it('has every section with a title, and what Markdown says', () => {
    const page = renderModelCardHtml(unreleased(sampleModelCard()));
    const titles = [...page.matchAll(/<h2 id="[a-z-]+">([^<]*)<\/h2>/g)].map(([, title]) => title);
    expect(titles).toEqual(SECTIONS);
    for (const words of [
      'Planning of gates.',
      '-0.0009 to 0.0054',
      'AMD EPYC 7B13',
      'Better than a linear model',
    ])
      expect(textOf(page)).toContain(words);
  });

  it('draws the curves, the calibration, the importance, the differences, the columns and the history', () => {
    const page = renderModelCardHtml(unreleased(sampleModelCard()));
    const titles = [...page.matchAll(/<figcaption>([^<]*)<\/figcaption>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'AUC: difference to the champion',
      'log loss: difference to the champion',
      'Difference to the champion by slice',
      'ROC: AUC 0.7012',
      expect.stringMatching(/^Precision–recall: average precision 0\.\d{4}$/),
      'Reliability: expected calibration error 0.0123',
      'How much AUC worsens when a feature is shuffled',
      'distance',
      'origin',
      'destination',
      'date',
      'weekend',
      'AUC from version to version',
    ]);
  });

  it('is closed in itself: no script, no handler, no other file, no address but its own', () => {
    const page = renderModelCardHtml(unreleased(sampleModelCard()));
    for (const { name, attributes } of readTags(page)) {
      expect(['script', 'link', 'img', 'iframe', 'object', 'form', 'base', 'image', 'use']).not.toContain(
        name,
      );
      expect(
        Object.keys(attributes).filter((attribute) => /^on|^src|^xlink|^action/.test(attribute)),
      ).toEqual([]);
      expect(attributes['href'] ?? '#').toMatch(/^#/);
    }
    expect(page).not.toMatch(/url\(|@import|https?:/);
  });

  it('tells those who hear it what is in its tables and plots', () => {
    const page = renderModelCardHtml(unreleased(sampleModelCard()));
    const tags = readTags(page);
    const count = (name: string) => tags.filter((tag) => tag.name === name && !tag.end).length;
    expect(count('caption')).toBe(count('table'));
    expect(count('desc')).toBe(count('svg'));
    const ids = tags.flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const named = tags.flatMap(({ attributes }) => attributes['aria-labelledby']?.split(' ') ?? []);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('leaves out what is not known', () => {
    const page = renderModelCardHtml(unreleased(bareCard()));
    expect(readTags(page).some(({ name }) => name === 'svg')).toBe(false);
    expect(textOf(page)).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it.each(HOSTILE)('lets %j of the author or of the data become no markup', (hostile) => {
    const names = (page: string) => [...new Set(readTags(page).map(({ name }) => name))].toSorted();
    const page = renderModelCardHtml(unreleased(cardOf(hostile)));
    expect(names(page)).toEqual(names(renderModelCardHtml(unreleased(cardOf('harmless')))));
    for (const { attributes } of readTags(page))
      expect(Object.keys(attributes).filter((name) => name.startsWith('on'))).toEqual([]);
  });
});
