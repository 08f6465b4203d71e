import { markup, type Markup } from '../document/markup.ts';

/** A drawing in user units, without colours: its classes are given them by the page or by the file that holds it. */
export interface Plot {
  title: string;
  /** What a reader who does not see the plot is told. */
  description: string;
  width: number;
  height: number;
  body: Markup;
}

/** The plot as an element of a page; `id` has to be the page's only one of that name. */
export function inlineSvg({ title, description, width, height, body }: Plot, id: string): Markup {
  return markup`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description"><title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>${body}</svg>`;
}

/** A coordinate to a tenth of a unit: finer than a screen shows, and half the size of all digits. */
export function coordinate(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text cut to fit a label. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
