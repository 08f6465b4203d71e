import type { ColumnSummary } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleDataset } from '../testing/sample-dataset.ts';
import { sampleEvaluation } from '../testing/sample-evaluation.ts';
import { readTags } from '../testing/page.ts';
import { curvePlot } from './curve-plot.ts';
import { distributionPlot } from './distribution-plot.ts';
import { historyPlot } from './history-plot.ts';
import { importancePlot } from './importance-plot.ts';
import { intervalPlot } from './interval-plot.ts';
import { labelPlot } from './label-plot.ts';
import { standaloneSvg, plotPng } from './png.ts';
import { inlineSvg, shortened, type Plot } from './plot.ts';
import { reliabilityPlot } from './reliability-plot.ts';

const NAMES = { title: 'Title', description: 'What it shows', axis: 'right is better' };
const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const interval = fc
  .tuple(value, value)
  .map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b), confidence: 0.95 }));
const row = fc.record({ label: fc.string(), value, interval, tone: fc.constant('plain' as const) });

/** The plot as it stands in a page, once it is found to be well-formed and without numbers that are none. */
function drawn(plot: Plot): string {
  const svg = inlineSvg(plot, 'plot').toString();
  readTags(svg);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  return svg;
}

/** Where the first line of this style stands. */
function lineAt(svg: string, style: string): number {
  return Number(new RegExp(`class="${style}" d="M(-?[\\d.]+)`).exec(svg)?.[1]);
}

describe('intervalPlot', () => {
  const rows = [
    {
      label: 'all',
      value: 0.01,
      interval: { low: -0.02, high: 0.04, confidence: 0.9 },
      tone: 'good' as const,
    },
  ];

  it('draws the margin to the left of zero, and the whiskers from end to end of the interval', () => {
    const svg = drawn(intervalPlot(NAMES, rows, 0.03));
    const [zero, margin] = [lineAt(svg, 'reference'), lineAt(svg, 'margin')];
    const [low, high] = /class="whisker" d="M([\d.]+) [\d.]+H([\d.]+)/.exec(svg)!.slice(1).map(Number);
    const unit = (zero - margin) / 0.03;
    expect(low).toBeCloseTo(zero - 0.02 * unit, 0);
    expect(high).toBeCloseTo(zero + 0.04 * unit, 0);
  });

  it('draws no margin where there is none', () => {
    expect(drawn(intervalPlot(NAMES, rows, null))).not.toContain('class="margin"');
  });

  it('draws any rows', () => {
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.option(value.map(Math.abs)),
        (given, margin) => {
          drawn(intervalPlot(NAMES, given, margin));
        },
      ),
    );
  });
});

describe('importancePlot', () => {
  it('draws bars to the left of zero for what is less than nothing', () => {
    const features = [0.2, -0.1].map((importance, index) => ({
      feature: `f${index}`,
      value: importance,
      interval: { low: importance - 0.01, high: importance + 0.01, confidence: 0.95 },
    }));
    const svg = drawn(importancePlot(features, 'AUC'));
    const bars = [...svg.matchAll(/<rect class="bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map(
      ([, x, width]) => ({ x: Number(x), width: Number(width) }),
    );
    expect(bars[0]!.x).toBeCloseTo(bars[1]!.x + bars[1]!.width, 0);
    expect(bars[0]!.width).toBeCloseTo(2 * bars[1]!.width, 0);
  });

  it('draws any features', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ feature: fc.string(), value, interval }), { minLength: 1, maxLength: 12 }),
        (given) => {
          drawn(importancePlot(given, 'AUC'));
        },
      ),
    );
  });
});

describe('curvePlot', () => {
  const { roc } = sampleEvaluation('a', 0.8).curves!;
  const options = {
    title: 'ROC',
    description: 'd',
    xLabel: 'x',
    yLabel: 'y',
    legend: 'bottom' as const,
    reference: [],
  };

  it("draws the champion's curve beneath the version's own, and says which is which", () => {
    const svg = drawn(curvePlot({ ...options, curve: roc, other: { name: 'version 6', curve: roc } }));
    expect(svg.indexOf('class="other"')).toBeLessThan(svg.indexOf('class="this"'));
    expect(svg).toContain('>version 6</text>');
  });

  it('draws a curve alone, and an empty one', () => {
    expect(drawn(curvePlot({ ...options, curve: roc, other: null }))).not.toContain('class="other"');
    expect(drawn(curvePlot({ ...options, curve: [], other: null }))).not.toContain('class="this"');
  });
});

describe('reliabilityPlot', () => {
  it('marks every bin with its interval and its rows', () => {
    const svg = drawn(reliabilityPlot(sampleEvaluation('a', 0.7).calibration!));
    expect(svg.match(/<circle/g)).toHaveLength(10);
    expect(svg.match(/class="whisker"/g)).toHaveLength(10);
    expect(svg.match(/<rect/g)).toHaveLength(10);
  });
});

describe('distributionPlot', () => {
  const [numbers, texts] = sampleDataset().card.columns as [ColumnSummary, ColumnSummary];

  it('draws a bar for every bin, as high as its rows', () => {
    const histogram = { edges: [0, 1, 2], rows: [10, 5] };
    const svg = drawn(distributionPlot({ ...numbers, histogram })!);
    const heights = [...svg.matchAll(/height="([\d.]+)"\/>/g)].map(([, height]) => Number(height));
    expect(heights[0]).toBeCloseTo(2 * heights[1]!, 0);
  });

  it('draws the most frequent values, and none of what is not known', () => {
    expect(drawn(distributionPlot(texts)!)).toContain('>ORD</text>');
    expect(distributionPlot({ ...texts, top: [] })).toBeNull();
    expect(distributionPlot({ ...texts, top: null })).toBeNull();
  });

  it('draws a column with one value', () => {
    drawn(distributionPlot({ ...numbers, histogram: { edges: [3, 3], rows: [7] } })!);
    drawn(distributionPlot({ ...numbers, histogram: { edges: [0, 1], rows: [0] } })!);
  });
});

describe('historyPlot', () => {
  it('draws versions that are all alike', () => {
    const points = [1, 2, 3].map((version) => ({ version, value: 0, tone: 'plain' as const }));
    expect(drawn(historyPlot('AUC', points)).match(/<circle/g)).toHaveLength(3);
  });
});

describe('labelPlot', () => {
  it('draws a bar for each class and split, and nothing without classes', () => {
    const { labels } = sampleDataset().card;
    expect(drawn(labelPlot(labels, ['false', 'true'])!).match(/<rect/g)).toHaveLength(6);
    expect(labelPlot(labels, [])).toBeNull();
  });
});

describe('plotPng', () => {
  const plot = historyPlot(
    '<b>&',
    [1, 2].map((version) => ({ version, value: version, tone: 'good' as const })),
  );

  it('gives the rasteriser colours instead of their names', () => {
    const svg = standaloneSvg(plot);
    expect(svg).toContain('.plot .dot.good { fill: #');
    expect(svg).not.toContain('var(');
    readTags(svg);
  });

  it('draws text in the font that comes along', async () => {
    const words = historyPlot(
      'words',
      [1, 2].map((version) => ({ version, value: version, tone: 'good' as const })),
    );
    const [one, other] = [await plotPng(plot), await plotPng(words)];
    // Both differ in nothing but the name of an axis.
    expect(one.equals(other)).toBe(false);
    expect(one.readUInt32BE(16)).toBe(plot.width * 2);
  });
});

describe('shortened', () => {
  it('cuts what is too long, between characters', () => {
    expect(shortened('abc', 3)).toBe('abc');
    expect(shortened('a😀😀😀', 3)).toBe('a😀…');
  });
});
