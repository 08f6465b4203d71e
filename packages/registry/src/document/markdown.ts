/**
 * Text from outside as Markdown that shows it and nothing else, on one line: no emphasis, links, images, HTML, table cells or formulas
 * come of it, and characters that turn the reading direction are taken out, so that a card cannot be made to look like another.
 */
export function inline(text: string): string {
  return text
    .replace(/[\u202A-\u202E\u2066-\u2069]/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]|~$]/g, '\\$&')
    .replace(LINE_START, (start) => `${start.slice(0, -1)}\\${start.slice(-1)}`);
}

/** What would begin a title, a rule or an item of a list; a number with its sign does not. */
const LINE_START = /^(?:[#=]|[+-](?=[\s+-]|$)|\d+[.)](?=\s|$))/;

/** Text of several paragraphs, parted by empty lines. */
export function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map(inline)
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

/** A word of ours, such as a digest or a name that its schema keeps to letters, digits and hyphens. */
export function code(word: string): string {
  return `\`${word}\``;
}

export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** A table; cells must be Markdown already. Columns named in `numeric` are set to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string {
  const rule = head.map((_, column) => (numeric.includes(column) ? '---:' : '---'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Facts as a table of two columns. */
export function facts(entries: readonly (readonly [name: string, value: string])[]): string {
  return table(['', ''], entries);
}

/** A whole section; empty blocks are left out. */
export function section(title: string, ...blocks: string[]): string {
  return [`## ${title}`, ...blocks.filter((block) => block !== '')].join('\n\n');
}
