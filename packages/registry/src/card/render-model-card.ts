import type { TrainedCard } from '@perennial/contract';
import { renderHtml } from '../document/render-html.ts';
import { renderMarkdown } from '../document/render-markdown.ts';
import { modelCardDocument } from './model-card-document.ts';

/** A model card as Markdown (GitHub's flavour). Text of the author and of the data is escaped: it shows, and does nothing else. */
export function renderModelCardMarkdown(card: TrainedCard): string {
  return renderMarkdown(modelCardDocument(card));
}

/** A model card as a page of its own with plots, to be served under `PAGE_POLICY`. */
export function renderModelCardHtml(card: TrainedCard): string {
  return renderHtml(modelCardDocument(card));
}
