import type { DataCard, SourceSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { readTags, textOf } from '../testing/page.ts';
import { sampleDataset } from '../testing/sample-dataset.ts';
import { describeSource } from './source-text.ts';
import { renderDataCardHtml, renderDataCardMarkdown } from './render-data-card.ts';

const card = (): DataCard => sampleDataset().card;

describe('renderDataCardMarkdown', () => {
  it('reads as it always has', () => {
    expect(renderDataCardMarkdown(card())).toMatchSnapshot();
  });

  it('says so where nothing is expected and nothing was set aside', () => {
    const bare = { ...card(), expectations: [], files: [], quarantine: { rows: 0, reasons: [] } };
    const markdown = renderDataCardMarkdown(bare);
    expect(markdown).toContain('The pipeline expects nothing of its rows.');
    expect(markdown).toContain('No row was set aside.');
    expect(markdown).not.toMatch(/undefined|null|NaN/);
  });

  it('gives mean and deviation of a label that is a number', () => {
    const regression = card();
    const label = { mean: 12.3, standardDeviation: 30.1, classes: null };
    regression.labels = { train: label, validation: label, test: { ...label, mean: null } };
    const markdown = renderDataCardMarkdown(regression);
    expect(markdown).toContain('| train | 12.3 | 30.1 |');
    expect(markdown).toContain('| test |  | 30.1 |');
  });
});

describe('renderDataCardHtml', () => {
  it('draws the label and every column', () => {
    const page = renderDataCardHtml(card());
    const titles = [...page.matchAll(/<figcaption>([^<]*)<\/figcaption>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'Share of each class by split',
      'distance',
      'origin',
      'destination',
      'date',
      'weekend',
    ]);
  });

  it.each(['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '</svg></table>|'])(
    'shows %j in names, values and rules as text',
    (hostile) => {
      const attacked = card();
      attacked.columns.forEach((column) => Object.assign(column, { name: hostile, type: hostile }));
      attacked.columns.forEach(({ top }) =>
        top?.forEach((entry) => Object.assign(entry, { value: hostile })),
      );
      attacked.files = [{ name: hostile, bytes: 1, digest: attacked.dataset }];
      attacked.quarantine.reasons = [{ reason: hostile, rows: 1 }];
      attacked.expectations = [{ kind: 'predicate', name: hostile, sql: hostile }];
      attacked.source = { kind: 'postgres', connection: 'main', query: hostile };
      attacked.labels.train.classes = { [hostile]: 3 };
      const names = new Set(readTags(renderDataCardHtml(attacked)).map(({ name }) => name));
      expect([...names].filter((name) => ['script', 'img'].includes(name))).toEqual([]);
      expect(textOf(renderDataCardHtml(attacked))).toContain(
        hostile.startsWith('<s') ? '&lt;script&gt;' : '&lt;',
      );
      expect(renderDataCardMarkdown(attacked)).not.toMatch(/<(script|img|\/)/);
    },
  );
});

describe('describeSource', () => {
  it.each<[SourceSpec, string]>([
    [{ kind: 'csv', paths: ['a.csv', 'b.csv'], header: true }, 'csv files a.csv, b.csv'],
    [{ kind: 'stream', stream: 'clicks' }, 'the stream clicks'],
    [
      { kind: 'objectStore', bucket: 'raw', prefix: 'in/', format: 'json' },
      'json files in the bucket raw under in/',
    ],
    [{ kind: 'predictionLog', model: 'churn' }, 'the predictions of churn with their ground truth'],
    [{ kind: 'query' }, "a function of the pipeline's own"],
  ])('says where %j comes from', (source, words) => {
    expect(describeSource(source)).toBe(words);
  });
});
