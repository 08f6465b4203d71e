import {
  gapBefore,
  partsOf,
  type Block,
  type Document,
  type Fact,
  type Notice,
  type Part,
  type Section,
  type Text,
} from './document.ts';
import { bullets, code, facts, inline, paragraphs, section, table } from './markdown.ts';

/** A document as Markdown (GitHub's flavour). All its text is escaped: it shows, and does nothing else. */
export function renderMarkdown({ title, lead, notices = [], glance, sections }: Document): string {
  const parts = [
    `# ${inline(title)}`,
    inlineText(lead),
    ...notices.map(renderNotice),
    factsTable(glance),
    ...sections.map(renderSection),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** A quotation to all readers, and a marked box to those that know GitHub's alerts. */
function renderNotice({ title, text, quote }: Notice): string {
  const lines = [`**${inline(title)}.** ${inlineText(text)}`, '', inline(quote)];
  return ['> [!CAUTION]', ...lines.map((line) => `> ${line}`.trimEnd())].join('\n');
}

function renderSection({ title, blocks }: Section): string {
  return section(title, ...blocks.map(renderBlock));
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return inlineText(block.text);
    case 'prose':
      return paragraphs(block.text);
    case 'list':
      return bullets(block.items.map(inlineText));
    case 'heading':
      return `### ${inline(block.text)}`;
    case 'table':
      return table(
        block.head.map(inline),
        block.rows.map((row) => row.map(inlineText)),
        block.numeric,
      );
    case 'facts':
      return factsTable(block.entries);
    case 'plots':
      return '';
  }
}

function factsTable(entries: readonly Fact[]): string {
  if (entries.length === 0) return '';
  return facts(entries.map(([name, value]) => [inline(name), inlineText(value)]));
}

function inlineText(text: Text): string {
  return partsOf(text)
    .map((part, index) => gapBefore(part, index) + inlinePart(part))
    .join('');
}

function inlinePart(part: Part): string {
  if (typeof part === 'string') return inline(part);
  if ('strong' in part) return `**${inline(part.strong)}**`;
  if ('aside' in part) return `(${inline(part.aside)})`;
  if ('badge' in part) return `**${inline(part.badge)}**`;
  // What is not a digest, a name or a path of ours is shown as plain text, since nothing can be escaped between backticks.
  return /^[\w.:@/-]+$/.test(part.code) ? code(part.code) : inline(part.code);
}
