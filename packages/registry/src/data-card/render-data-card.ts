import type { DataCard } from '@perennial/contract';
import { renderHtml } from '../document/render-html.ts';
import { renderMarkdown } from '../document/render-markdown.ts';
import { dataCardDocument } from './data-card-document.ts';

/** A data card as Markdown (GitHub's flavour). Text of the author and of the data is escaped: it shows, and does nothing else. */
export function renderDataCardMarkdown(card: DataCard): string {
  return renderMarkdown(dataCardDocument(card));
}

/** A data card as a page of its own with plots, to be served under `PAGE_POLICY`. */
export function renderDataCardHtml(card: DataCard): string {
  return renderHtml(dataCardDocument(card));
}
