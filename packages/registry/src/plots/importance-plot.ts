import { scaleLinear } from 'd3-scale';
import type { Importance } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { metricText } from '../document/number-text.ts';
import type { Scale } from './frame.ts';
import { coordinate, shortened, type Plot } from './plot.ts';

const WIDTH = 640;
const LABEL = 150;
const VALUE = 70;
const ROW = 24;

/** Features as bars, with their intervals; `metric` is what grows worse when a feature is shuffled. */
export function importancePlot(features: readonly Importance[], metric: string): Plot {
  const ends = features.flatMap(({ value, interval }) => [value, interval.low, interval.high]);
  const x = scaleLinear([Math.min(0, ...ends), Math.max(0, ...ends) || 1], [LABEL, WIDTH - VALUE]);
  const height = features.length * ROW + 4;
  return {
    title: `How much ${metric} worsens when a feature is shuffled`,
    description: `Permutation importance of ${features.length} features with intervals, most important first.`,
    width: WIDTH,
    height,
    body: markup`<path class="grid" d="M${coordinate(x(0))} 0V${height}"/>${features.map((feature, index) => bar(feature, x, index))}`,
  };
}

function bar({ feature, value, interval }: Importance, x: Scale, index: number): Markup {
  const middle = index * ROW + ROW / 2;
  const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
  const [low, high] = [coordinate(x(interval.low)), coordinate(x(interval.high))];
  return markup`<text class="value" x="0" y="${middle + 4}">${shortened(feature, 24)}</text><rect class="bar" x="${coordinate(from)}" y="${middle - 7}" width="${coordinate(to - from)}" height="14"/><path class="whisker" d="M${low} ${middle}H${high}M${low} ${middle - 3}v6M${high} ${middle - 3}v6"/><text class="value" x="${WIDTH}" y="${middle + 4}" text-anchor="end">${metricText(value)}</text>`;
}
