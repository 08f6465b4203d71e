import type { Interval } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { frame, polyline, type Frame } from './frame.ts';
import { coordinate, type Plot } from './plot.ts';

export interface HistoryPoint {
  version: number;
  value: number;
  tone: 'good' | 'bad' | 'unsure' | 'plain';
  /** Of the newest version, where it is known. */
  interval?: Interval | undefined;
}

const SIZE = { width: 640, height: 200 };

/** A metric from version to version, oldest first; each point in the colour of its verdict. */
export function historyPlot(metric: string, points: readonly HistoryPoint[]): Plot {
  const ends = points.flatMap(({ value, interval }) =>
    interval ? [value, interval.low, interval.high] : [value],
  );
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = (high - low || Math.abs(high) || 1) * 0.1;
  const versions = points.map(({ version }) => version);
  const area = frame({
    ...SIZE,
    x: [Math.min(...versions) - 0.5, Math.max(...versions) + 0.5],
    y: [low - room, high + room],
    xLabel: 'Version',
    yLabel: metric,
    xTicks: versions,
  });
  const path = polyline(
    points.map(({ version, value }) => [version, value] as const),
    area,
    'other',
  );
  return {
    title: `${metric} from version to version`,
    description: `${metric} of ${points.length} versions, each on the test rows of its day.`,
    ...SIZE,
    body: markup`${area.axes}${path}${points.map((point) => mark(point, area))}`,
  };
}

function mark({ version, value, tone, interval }: HistoryPoint, { x, y }: Pick<Frame, 'x' | 'y'>): Markup {
  const at = coordinate(x(version));
  const whisker = interval
    ? markup`<path class="whisker" d="M${at} ${coordinate(y(interval.low))}V${coordinate(y(interval.high))}"/>`
    : null;
  return markup`${whisker}<circle class="dot ${tone}" cx="${at}" cy="${coordinate(y(value))}" r="4"/>`;
}
