import { createRequire } from 'node:module';
import { markup } from '../document/markup.ts';
import { LIGHT, PLOT_STYLE } from './palette.ts';
import type { Plot } from './plot.ts';

/** Pixels per user unit, so that text stays sharp where the picture is shown large. */
const SCALE = 2;

/** The plot as a PNG, on white. The rasteriser is native code and is loaded with the first picture, since most processes draw none. */
export async function plotPng(plot: Plot): Promise<Buffer> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(standaloneSvg(plot), {
    fitTo: { mode: 'zoom', value: SCALE },
    background: LIGHT.paper,
    // A bare container has no fonts, and a picture without its text says nothing: so the font comes along, and is the same everywhere.
    font: { loadSystemFonts: false, fontFiles: [fontFile()], defaultFontFamily: 'DejaVu Sans' },
  });
  return image.asPng();
}

function fontFile(): string {
  return createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
}

/** The plot as a file of its own. The rasteriser knows no custom properties, so the colours' names are replaced by the colours. */
export function standaloneSvg({ width, height, body }: Plot): string {
  const names = Object.entries(LIGHT);
  const style = names.reduce(
    (css, [name, colour]) => css.replaceAll(`var(--${name})`, colour),
    PLOT_STYLE.toString(),
  );
  const svg = markup`<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><style></style>${body}</svg>`;
  return svg.toString().replace('<style></style>', () => `<style>${style}</style>`);
}
