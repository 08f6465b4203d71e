/**
 * HTML and SVG that can be put into a page. Only the tag below makes one, so text of an author, of the data or of a model can get into a page
 * escaped and in no other way.
 */
export class Markup {
  private constructor(private readonly text: string) {}

  /** @internal Of the tag alone. */
  static compose(fixed: readonly string[], values: readonly MarkupValue[]): Markup {
    const parts = fixed.map((part, index) => part + textOf(values[index]));
    return new Markup(parts.join(''));
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: text and numbers, which are escaped; markup, which is not; lists of them; nothing. */
export type MarkupValue = string | number | Markup | null | undefined | readonly MarkupValue[];

/**
 * Markup from a template. The fixed parts are ours and stay; every value is escaped for element content and for attributes in double quotes:
 * `` markup`<td title="${name}">${name}</td>` ``. Values must not stand in attributes without quotes, in `<style>` or in `<script>`, where
 * other rules hold.
 */
export function markup(fixed: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  return Markup.compose(fixed, values);
}

function textOf(value: MarkupValue): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeText(String(value));
}

/**
 * Control characters are no part of HTML, and characters that turn the reading direction could make a text look like another: both are taken out.
 */
function escapeText(text: string): string {
  return text
    .replace(/[\u202A-\u202E\u2066-\u2069]/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}
