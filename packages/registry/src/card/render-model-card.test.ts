import type { ModelCard } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { buildModelCard } from './build-model-card.ts';
import { renderModelCardMarkdown } from './render-model-card.ts';
import { samplePartsOfCard } from '../testing/sample-card.ts';

function card(): ModelCard {
  return buildModelCard(samplePartsOfCard());
}

describe('renderModelCardMarkdown', () => {
  it('reads as it always has', () => {
    expect(renderModelCardMarkdown(card())).toMatchSnapshot();
  });

  it('has every section, once and in order', () => {
    const titles = renderModelCardMarkdown(card()).match(/^## .*$/gm);
    expect(titles).toEqual(
      [
        'Overview',
        'Gate',
        'Metrics',
        'Slices',
        'Data',
        'Features and label',
        'Input and output',
        'Training',
        'Origin',
      ].map((title) => `## ${title}`),
    );
  });

  it('says what is not known instead of leaving holes', () => {
    const bare = card();
    bare.overview = { description: '', owners: [], intendedUse: '', limitations: [] };
    bare.championEvaluation = null;
    bare.gate = { ...bare.gate, verdict: 'no-baseline', champion: null };
    bare.evaluation = {
      ...bare.evaluation,
      slices: [],
      metrics: { auc: null },
      meanLabel: null,
      intervals: {},
    };
    bare.training.warmStart = { note: 'There is no champion.' };
    const markdown = renderModelCardMarkdown(bare);
    expect(markdown).toContain('The author gives no description.');
    expect(markdown).toContain('**Owners**: not stated');
    expect(markdown).toContain('**Limitations**: none stated');
    expect(markdown).toContain('| Champion | none |');
    expect(markdown).toContain('| AUC | not defined | higher |');
    expect(markdown).toContain('| Weights began at | random numbers |');
    expect(markdown).not.toContain('## Slices');
    expect(markdown).not.toMatch(/undefined|null|NaN/);
  });

  it('renders regressions and many classes', () => {
    const regression = card();
    regression.label = { kind: 'regression', name: 'delay', from: 'delay' };
    regression.signature.output = { kind: 'regression' };
    expect(renderModelCardMarkdown(regression)).toContain('**Output**: regression');
    const multiclass = card();
    multiclass.label = { kind: 'multiclass', name: 'carrier', from: 'carrier', classes: ['A|A', 'UA'] };
    multiclass.signature.output = { kind: 'multiclass', classes: ['A|A', 'UA'] };
    expect(renderModelCardMarkdown(multiclass)).toContain('**Output**: multiclass over A\\|A, UA');
  });

  it('says of a command what it ran, and leaves out what nobody knows', () => {
    const trained = card();
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
    const markdown = renderModelCardMarkdown(trained);
    expect(markdown).toContain('| Command | python train\\|\\*.py |');
    expect(markdown).toContain('| Parameters | not known |');
    expect(markdown).toContain('| Exported file against network | not applicable');
    expect(markdown).toContain('### Operators\n\n- TreeEnsembleClassifier');
    expect(markdown).not.toMatch(/### Epochs|### Layers|learning rate/);
  });

  it('lets no text of the author or of the data become markup', () => {
    const hostile = '<img src=x onerror=alert(1)>|[a](javascript:b)\n\n## Gate\n\n**pass**';
    const attacked = card();
    attacked.overview = {
      description: hostile,
      owners: [hostile],
      intendedUse: hostile,
      limitations: [hostile],
    };
    attacked.label.from = hostile;
    attacked.gate.explanation = hostile;
    attacked.training.device = hostile;
    attacked.training.warmStart.note = hostile;
    attacked.training.architecture = [hostile];
    attacked.signature.inputs = [{ name: hostile, type: 'text' }];
    attacked.evaluation.slices = [{ slice: { [hostile]: hostile }, rows: 30, metrics: { auc: 0.5 } }];
    const markdown = renderModelCardMarkdown(attacked);
    expect(markdown).not.toMatch(/<img|[^\\]\[a\]/);
    expect(markdown.match(/^## Gate$/gm)).toHaveLength(1);
    const cells = (line: string): number => line.replace(/\\./g, '').split('|').length;
    const lines = markdown.split('\n');
    lines.forEach((line, index) => {
      const before = lines[index - 1];
      if (line.startsWith('|') && before?.startsWith('|')) expect(cells(line)).toBe(cells(before));
    });
  });
});
