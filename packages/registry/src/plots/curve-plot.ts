import { markup, type Markup } from '../document/markup.ts';
import { frame, polyline, SPACE, type Point, type Scale } from './frame.ts';
import { coordinate, type Plot } from './plot.ts';

export interface CurvePlotOptions {
  title: string;
  description: string;
  xLabel: string;
  yLabel: string;
  /** By rising x, of values from 0 to 1. */
  curve: readonly Point[];
  /** What the curve is compared with, drawn beneath it. */
  other: { name: string; curve: readonly Point[] } | null;
  /** Points of what a model that knows nothing comes to. */
  reference: readonly Point[];
  /** The right corner that a good curve leaves free. */
  legend: 'top' | 'bottom';
}

const SIZE = { width: 320, height: 290 };

/** A curve in the unit square: receiver operating characteristic, or precision by recall. */
export function curvePlot(options: CurvePlotOptions): Plot {
  const { title, description, xLabel, yLabel, curve, other, reference } = options;
  const corner = options.legend === 'top' ? 0.95 : 0.14;
  const square = frame({ ...SIZE, x: [0, 1], y: [0, 1], xLabel, yLabel });
  const body = markup`${square.axes}${polyline(reference, square, 'reference')}${
    other ? polyline(other.curve, square, 'other') : null
  }${polyline(curve, square, 'this')}${other ? legend(square.y, corner, ['this version', other.name]) : null}`;
  return { title, description, ...SIZE, body };
}

function legend(y: Scale, top: number, [own, other]: readonly [string, string]): Markup {
  const left = SIZE.width - SPACE.right - 108;
  const entries = [
    { name: own, style: 'this', at: coordinate(y(top)) },
    { name: other, style: 'other', at: coordinate(y(top - 0.09)) },
  ];
  return markup`${entries.map(({ name, style, at }) => markup`<path class="${style}" d="M${left} ${at}h18"/><text x="${left + 24}" y="${at + 3.5}">${name}</text>`)}`;
}
