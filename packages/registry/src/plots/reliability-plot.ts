import type { CalibrationReport } from '@perennial/contract';
import { markup, type Markup } from '../document/markup.ts';
import { numberText } from '../document/number-text.ts';
import { frame, polyline, SPACE, type Frame, type Scale } from './frame.ts';
import { coordinate, type Plot } from './plot.ts';

const WIDTH = 400;
const CURVE_HEIGHT = 290;
/** The strip of bars that says how many rows each bin holds. */
const STRIP = { gap: 6, height: 40 };

/**
 * The reliability curve: per bin the share of rows whose label is true against the mean probability, with its interval; and beneath it how many rows
 * stand in each bin. Points on the dashed line are probabilities that can be taken at their word.
 */
export function reliabilityPlot({ bins, error }: CalibrationReport): Plot {
  const top = Math.max(
    0.05,
    ...bins.map(({ meanProbability, interval }) => Math.max(meanProbability, interval.high)),
  );
  const reach = Math.min(1, Math.ceil(top * 20) / 20);
  const area = frame({
    width: WIDTH,
    height: CURVE_HEIGHT,
    x: [0, reach],
    y: [0, reach],
    xLabel: 'Mean probability',
    yLabel: 'Share that is true',
  });
  const diagonal = polyline(
    [
      [0, 0],
      [reach, reach],
    ],
    area,
    'reference',
  );
  const points = bins.map(({ meanProbability, share }) => [meanProbability, share] as const);
  return {
    title: `Reliability: expected calibration error ${numberText(error)}`,
    description: `Share of true labels by mean probability in ${bins.length} bins of equally many rows, with intervals.`,
    width: WIDTH,
    height: CURVE_HEIGHT + STRIP.gap + STRIP.height,
    body: markup`${area.axes}${diagonal}${polyline(points, area, 'this')}${bins.map((bin) => binMark(bin, area))}${rowsStrip(bins, area.x)}`,
  };
}

function binMark(bin: CalibrationReport['bins'][number], { x, y }: Pick<Frame, 'x' | 'y'>): Markup {
  const at = coordinate(x(bin.meanProbability));
  const [low, high] = [coordinate(y(bin.interval.low)), coordinate(y(bin.interval.high))];
  return markup`<path class="whisker" d="M${at} ${low}V${high}"/><circle class="dot" cx="${at}" cy="${coordinate(y(bin.share))}" r="3"/>`;
}

function rowsStrip(bins: CalibrationReport['bins'], x: Scale): Markup {
  const most = Math.max(...bins.map(({ rows }) => rows));
  const bottom = CURVE_HEIGHT + STRIP.gap + STRIP.height;
  const bars = bins.map(({ rows, meanProbability }) => {
    const height = coordinate((STRIP.height - 4) * (rows / most));
    return markup`<rect class="faint" x="${coordinate(x(meanProbability) - 4)}" y="${bottom - height}" width="8" height="${height}"/>`;
  });
  return markup`<text x="${SPACE.left - 6}" y="${bottom - STRIP.height / 2 + 3}" text-anchor="end">rows</text>${bars}`;
}
