import { scaleLinear, type ScaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { markup, type Markup } from '../document/markup.ts';
import { coordinate } from './plot.ts';

export type Scale = ScaleLinear<number, number>;
export type Point = readonly [x: number, y: number];

/** Space around the area that is drawn on, for the ticks and the axes' names. */
export const SPACE = { left: 48, right: 12, top: 8, bottom: 38 } as const;

/** About how many ticks an axis has. */
const TICKS = 5;

export interface FrameOptions {
  width: number;
  height: number;
  x: readonly [number, number];
  y: readonly [number, number];
  xLabel: string;
  yLabel: string;
  /** Where the ticks of x stand; without, at about five round values. */
  xTicks?: readonly number[];
}

export interface Frame {
  x: Scale;
  y: Scale;
  /** Grid, ticks and names of the axes. */
  axes: Markup;
}

/** Two linear axes around an area, as most plots have them. */
export function frame(options: FrameOptions): Frame {
  const { width, height } = options;
  const x = scaleLinear(options.x, [SPACE.left, width - SPACE.right]);
  const y = scaleLinear(options.y, [height - SPACE.bottom, SPACE.top]);
  const xTicks = options.xTicks ?? x.ticks(TICKS);
  const middle = { x: (SPACE.left + width - SPACE.right) / 2, y: (SPACE.top + height - SPACE.bottom) / 2 };
  return {
    x,
    y,
    axes: markup`${horizontals(y, width)}${bottomTicks(x, xTicks, height)}<text x="${middle.x}" y="${height - 4}" text-anchor="middle">${options.xLabel}</text><text transform="translate(10 ${middle.y}) rotate(-90)" text-anchor="middle">${options.yLabel}</text>`,
  };
}

/** Lines across the area with their values to the left. */
function horizontals(y: Scale, width: number): Markup {
  const write = y.tickFormat(TICKS);
  return markup`${y.ticks(TICKS).map((tick) => {
    const at = coordinate(y(tick));
    return markup`<path class="grid" d="M${SPACE.left} ${at}H${width - SPACE.right}"/><text x="${SPACE.left - 6}" y="${at + 3.5}" text-anchor="end">${write(tick)}</text>`;
  })}`;
}

function bottomTicks(x: Scale, ticks: readonly number[], height: number): Markup {
  const write = x.tickFormat(TICKS);
  const bottom = height - SPACE.bottom;
  return markup`${ticks.map((tick) => {
    const at = coordinate(x(tick));
    return markup`<path class="grid" d="M${at} ${bottom}v4"/><text x="${at}" y="${bottom + 15}" text-anchor="middle">${write(tick)}</text>`;
  })}`;
}

/** A line through the points. */
export function polyline(points: readonly Point[], { x, y }: Pick<Frame, 'x' | 'y'>, style: string): Markup {
  const path = line<Point>(
    (point) => x(point[0]),
    (point) => y(point[1]),
  ).digits(1)(points);
  return path === null ? markup`` : markup`<path class="${style}" d="${path}"/>`;
}
