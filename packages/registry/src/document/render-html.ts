import { inlineSvg, type Plot } from '../plots/plot.ts';
import {
  gapBefore,
  partsOf,
  type Block,
  type Document,
  type Fact,
  type Notice,
  type Part,
  type Section,
  type Table,
  type Text,
} from './document.ts';
import { markup, type Markup } from './markup.ts';
import { STYLE } from './style.ts';

/**
 * What a page of ours may do, as the value of `content-security-policy`: nothing but use the style within it. It has no script, and asks for no
 * other file.
 */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A document as a page of its own: plots are drawn in it, and it needs nothing beside itself. */
export function renderHtml(document: Document): string {
  const { title, lead, notices = [], glance, sections } = document;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="lead">${inlineText(lead)}</p>
${notices.map(renderNotice)}${glanceList(glance)}
</header>
<nav aria-label="Sections">${sections.map(({ title: name }) => markup`<a href="#${slug(name)}">${name}</a> `)}</nav>
<main>
${sections.map(renderSection)}
</main>
</body>
</html>
`;
  return page.toString();
}

function renderNotice({ title, text, quote }: Notice): Markup {
  return markup`<div class="notice" role="note">
<p><strong>${title}.</strong> ${inlineText(text)}</p>
<blockquote>${quote}</blockquote>
</div>
`;
}

function glanceList(glance: readonly Fact[]): Markup {
  const entries = glance.map(
    ([name, value]) => markup`<div><dt>${name}</dt><dd>${inlineText(value)}</dd></div>`,
  );
  return markup`<dl class="glance">${entries}</dl>`;
}

function renderSection({ title, blocks }: Section): Markup {
  const id = slug(title);
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${blocks.map((block, index) => renderBlock(block, `${id}-${index}`))}</section>
`;
}

/** `id` begins the ids of what is in the block. */
function renderBlock(block: Block, id: string): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p>${inlineText(block.text)}</p>\n`;
    case 'prose':
      return markup`${block.text
        .split(/\n\s*\n/)
        .filter((paragraph) => paragraph.trim() !== '')
        .map((paragraph) => markup`<p>${paragraph}</p>\n`)}`;
    case 'list':
      return block.items.length === 0
        ? markup``
        : markup`<ul>${block.items.map((item) => markup`<li>${inlineText(item)}</li>`)}</ul>\n`;
    case 'heading':
      return markup`<h3>${block.text}</h3>\n`;
    case 'table':
      return renderTable(block);
    case 'facts':
      return renderFacts(block.caption, block.entries);
    case 'plots':
      return renderPlots(block.plots, id);
  }
}

function renderTable({ caption, head, rows, numeric = [] }: Table): Markup {
  const alignment = head.map((_, column) => (numeric.includes(column) ? 'number' : 'words'));
  const heads = head.map((name, column) => markup`<th scope="col" class="${alignment[column]}">${name}</th>`);
  const body = rows.map((row) => {
    const cells = row.map(
      (cell, column) => markup`<td class="${alignment[column]}">${inlineText(cell)}</td>`,
    );
    return markup`<tr>${cells}</tr>\n`;
  });
  return markup`<div class="wide"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}

function renderFacts(caption: string, entries: readonly Fact[]): Markup {
  const rows = entries.map(
    ([name, value]) => markup`<tr><th scope="row">${name}</th><td>${inlineText(value)}</td></tr>\n`,
  );
  return markup`<div class="wide"><table class="facts">
<caption>${caption}</caption>
<tbody>
${rows}</tbody>
</table></div>
`;
}

function renderPlots(plots: readonly Plot[], id: string): Markup {
  const figures = plots.map(
    (plot, index) => markup`<figure style="width: ${plot.width}px">
<figcaption>${plot.title}</figcaption>
${inlineSvg(plot, `${id}-${index}`)}
</figure>
`,
  );
  return markup`<div class="plots">${figures}</div>\n`;
}

function inlineText(text: Text): Markup {
  return markup`${partsOf(text).map((part, index) => [gapBefore(part, index), inlinePart(part)])}`;
}

function inlinePart(part: Part): Markup {
  if (typeof part === 'string') return markup`${part}`;
  if ('strong' in part) return markup`<strong>${part.strong}</strong>`;
  if ('aside' in part) return markup`<small>${part.aside}</small>`;
  if ('badge' in part) return markup`<span class="badge ${part.tone}">${part.badge}</span>`;
  return markup`<code>${part.code}</code>`;
}

/** The address of a section within the page; titles are ours. */
function slug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
