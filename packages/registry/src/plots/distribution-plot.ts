import { scaleLinear } from 'd3-scale';
import type { ColumnSummary } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { countText, numberText } from '../document/number-text.ts';
import { coordinate, shortened, type Plot } from './plot.ts';

const WIDTH = 260;
const HEIGHT = 110;
const AXIS = 18;
/** Categories that are shown; the others are one bar more. */
const CATEGORIES = 6;

/** How the values of a column are distributed; nothing where the summary does not say. */
export function distributionPlot(column: ColumnSummary): Plot | null {
  if (column.histogram !== null) return histogram(column, column.histogram);
  if (column.top !== null && column.top.length > 0) return categories(column, column.top);
  return null;
}

function histogram(column: ColumnSummary, { edges, rows }: NonNullable<ColumnSummary['histogram']>): Plot {
  const [first, last] = [edges[0] ?? 0, edges.at(-1) ?? 1];
  const bottom = HEIGHT - AXIS;
  const x = scaleLinear([first, last], [0, WIDTH]);
  const y = scaleLinear([0, Math.max(1, ...rows)], [bottom, 2]);
  const bars = rows.map((count, bin) => {
    const [left, right] = [x(edges[bin] ?? first), x(edges[bin + 1] ?? last)];
    const width = Math.max(right - left - 1, 0.5);
    return markup`<rect class="bar" x="${coordinate(left)}" y="${coordinate(y(count))}" width="${coordinate(width)}" height="${coordinate(bottom - y(count))}"/>`;
  });
  const write = isTime(column) ? dayText : numberText;
  const ends = markup`<text x="0" y="${HEIGHT - 4}">${write(first)}</text><text x="${WIDTH}" y="${HEIGHT - 4}" text-anchor="end">${write(last)}</text>`;
  return {
    ...labels(column),
    width: WIDTH,
    height: HEIGHT,
    body: markup`<path class="grid" d="M0 ${bottom}H${WIDTH}"/>${bars}${ends}`,
  };
}

function categories(column: ColumnSummary, top: NonNullable<ColumnSummary['top']>): Plot {
  const shown = top.slice(0, CATEGORIES);
  const most = Math.max(1, ...shown.map(({ rows }) => rows));
  const step = (HEIGHT - 4) / CATEGORIES;
  return {
    ...labels(column),
    width: WIDTH,
    height: HEIGHT,
    body: markup`${shown.map(({ value, rows }, index) => category(value, { rows, share: rows / most, middle: (index + 0.5) * step }))}`,
  };
}

function category(
  value: string,
  { rows, share, middle }: { rows: number; share: number; middle: number },
): Markup {
  const [left, right] = [84, WIDTH - 56];
  const text = value === '' ? '(empty)' : shortened(value, 13);
  return markup`<text class="value" x="0" y="${coordinate(middle + 4)}">${text}</text><rect class="bar" x="${left}" y="${coordinate(middle - 5)}" width="${coordinate((right - left) * share)}" height="10"/><text x="${WIDTH}" y="${coordinate(middle + 4)}" text-anchor="end">${numberText(rows)}</text>`;
}

function labels({ name, missing, distinct }: ColumnSummary): Pick<Plot, 'title' | 'description'> {
  return {
    title: name,
    description: `Distribution of ${name}: ${countText(distinct, 'distinct value')}, ${numberText(missing)} missing.`,
  };
}

export function isTime({ type }: ColumnSummary): boolean {
  return /^(TIMESTAMP|DATE)/i.test(type);
}

export function dayText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
