import type { ModelCardView } from '@perennial/contract';
import { renderHtml } from '../document/render-html.ts';
import { renderMarkdown } from '../document/render-markdown.ts';
import { modelCardDocument } from './model-card-document.ts';

/**
 * A model card, with what happened to its version since, as Markdown (GitHub's flavour). Text of the author, of the data and of people is escaped: it shows, and does nothing
 * else.
 */
export function renderModelCardMarkdown(view: ModelCardView): string {
  return renderMarkdown(modelCardDocument(view));
}

/** The same as a page of its own with plots, to be served under `PAGE_POLICY`. */
export function renderModelCardHtml(view: ModelCardView): string {
  return renderHtml(modelCardDocument(view));
}
