import { splitNameSchema, type DataCard } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { percentText } from '../document/number-text.ts';
import { coordinate, shortened, type Plot } from './plot.ts';

const WIDTH = 640;
const LABEL = 110;
const VALUE = 60;
const BAR = 12;
const GAP = 10;
/** Classes that are shown. */
const CLASSES = 12;

/** Share of each class in each split, one group of bars a class: equal bars are splits that are alike. */
export function labelPlot(labels: DataCard['labels'], classes: readonly string[]): Plot | null {
  if (classes.length === 0) return null;
  const shown = classes.slice(0, CLASSES);
  const step = splitNameSchema.options.length * BAR + GAP;
  return {
    title: 'Share of each class by split',
    description: `Shares of ${shown.length} classes in the training, validation and test rows.`,
    width: WIDTH,
    height: shown.length * step,
    body: markup`${shown.map((name, index) => group(labels, name, index * step))}`,
  };
}

function group(labels: DataCard['labels'], name: string, top: number): Markup {
  const bars = splitNameSchema.options.map((split, index) => {
    const { classes } = labels[split];
    const all = Object.values(classes ?? {}).reduce((sum, count) => sum + count, 0);
    const share = all === 0 ? 0 : (classes?.[name] ?? 0) / all;
    const y = top + index * BAR;
    const width = coordinate(share * (WIDTH - LABEL - VALUE - 60));
    return markup`<text x="${LABEL + 54}" y="${y + 10}" text-anchor="end">${split}</text><rect class="${split === 'train' ? 'bar' : 'faint'}" x="${LABEL + 60}" y="${y + 1}" width="${width}" height="${BAR - 2}"/><text x="${LABEL + 64 + width}" y="${y + 10}">${percentText(Number(share.toPrecision(3)))}</text>`;
  });
  return markup`<text class="value" x="0" y="${top + 10}">${shortened(name, 18)}</text>${bars}`;
}
