/** An element's beginning or end, as it stands in a page. */
interface Tag {
  name: string;
  end: boolean;
  attributes: Record<string, string>;
}

const VOID = new Set(['meta', '!doctype']);

/**
 * Reads a page the strict way, for tests of what a page may hold: every `<` must begin a tag that is closed in turn, and every attribute must be
 * quoted. A text that got into a page unescaped breaks one of these rules or shows as a tag or an attribute that the caller does not expect.
 * @throws Error where the page breaks a rule
 */
export function readTags(page: string): Tag[] {
  const tags: Tag[] = [];
  const open: string[] = [];
  for (const [text, slash = '', name = '', rest = ''] of page
    .replace(/<style>[^<]*<\/style>/g, '')
    .matchAll(/<(\/?)([a-z!][a-z0-9]*)([^<>]*)>|[<>]/gi)) {
    if (name === '') throw new Error(`a stray ${text}`);
    const tag = { name: name.toLowerCase(), end: slash === '/', attributes: readAttributes(rest) };
    tags.push(tag);
    if (VOID.has(tag.name) || rest.endsWith('/')) continue;
    if (!tag.end) open.push(tag.name);
    else if (open.pop() !== tag.name) throw new Error(`</${tag.name}> closes another element`);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return tags;
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  const rest = text.replace(/\s([a-zA-Z-]+)="([^"]*)"/g, (_, name: string, value: string) => {
    if (name in attributes) throw new Error(`twice: ${name}`);
    attributes[name] = value;
    return '';
  });
  if (!/^(?: html| lang)?\s*\/?$/.test(rest)) throw new Error(`not an attribute in quotes: ${rest}`);
  return attributes;
}

/** The page without what is no text of it. */
export function textOf(page: string): string {
  return page.replace(/<style>[^<]*<\/style>/g, '').replace(/<[^>]*>/g, ' ');
}
