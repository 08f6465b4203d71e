import { scaleLinear } from 'd3-scale';
import type { Interval } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { numberText, signedText } from '../document/number-text.ts';
import type { Scale } from './frame.ts';
import { coordinate, shortened, type Plot } from './plot.ts';

export interface IntervalRow {
  label: string;
  value: number;
  interval: Interval;
  /** How the row came out, as a colour. */
  tone: 'good' | 'bad' | 'unsure' | 'plain';
}

/** Of the area between the labels and the values. */
const AREA = 370;
const LABEL = 190;
const VALUE = 70;
const ROW = 28;
const AXIS = 34;

/**
 * Intervals below each other on one scale (a forest plot) with a line at zero, and where there is a margin one at minus the margin: an interval wholly
 * to the right of that line is shown to be not worse.
 */
export function intervalPlot(
  { title, description, axis }: { title: string; description: string; axis: string },
  rows: readonly IntervalRow[],
  margin: number | null,
): Plot {
  const left = rows.every(({ label }) => label === '') ? 8 : LABEL;
  const width = left + AREA + VALUE;
  const x = scaleOf(rows, margin).range([left, left + AREA]);
  const bottom = rows.length * ROW + 4;
  const upright = (at: number, style: string) =>
    markup`<path class="${style}" d="M${coordinate(x(at))} 0V${bottom}"/>`;
  const ticks = x
    .ticks(5)
    .map(
      (tick) =>
        markup`<path class="grid" d="M${coordinate(x(tick))} 0V${bottom}"/><text x="${coordinate(x(tick))}" y="${bottom + 13}" text-anchor="middle">${x.tickFormat(5)(tick)}</text>`,
    );
  const lines = markup`${ticks}${upright(0, 'reference')}${margin === null ? null : upright(-margin, 'margin')}`;
  const name = margin === null ? axis : `${axis}; red line: minus the margin of ${numberText(margin)}`;
  return {
    title,
    description,
    width,
    height: bottom + AXIS,
    body: markup`${lines}${rows.map((row, index) => intervalRow(row, x, index))}<text x="${left + AREA / 2}" y="${bottom + 29}" text-anchor="middle">${name}</text>`,
  };
}

function scaleOf(rows: readonly IntervalRow[], margin: number | null): Scale {
  const ends = rows.flatMap(({ value, interval }) => [value, interval.low, interval.high]);
  const all = [0, ...ends, ...(margin === null ? [] : [-margin])];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low || 1) * 0.05;
  return scaleLinear([low - room, high + room], [0, 1]);
}

function intervalRow({ label, value, interval, tone }: IntervalRow, x: Scale, index: number): Markup {
  const middle = index * ROW + ROW / 2;
  const [low, high] = [coordinate(x(interval.low)), coordinate(x(interval.high))];
  return markup`<text class="value" x="0" y="${middle + 4}">${shortened(label, 32)}</text><path class="whisker" d="M${low} ${middle}H${high}M${low} ${middle - 4}v8M${high} ${middle - 4}v8"/><circle class="dot ${tone}" cx="${coordinate(x(value))}" cy="${middle}" r="4"/><text class="value" x="${Math.max(...x.range()) + VALUE}" y="${middle + 4}" text-anchor="end">${signedText(value)}</text>`;
}
