import type { Clock } from '@perennial/contract';
import {
  PAGE_POLICY,
  modelCardView,
  renderDataCardHtml,
  renderDataCardMarkdown,
  renderModelCardHtml,
  renderModelCardMarkdown,
  toolkitCard,
} from '@perennial/registry';
import * as storage from '@perennial/storage';
import { parseAccept, type Accept } from 'hono/utils/accept';
import type { Handlers } from './route-registration.ts';

/** Cards, each in the form that the request asks for. */
export function cardHandlers({ database, clock }: { database: storage.Database; clock: Clock }) {
  const db = database.orm;
  return {
    getModelCard: async ({ params }, { accept }) => {
      const view = await modelCardView(db, params, clock.now());
      return inForm(accept, {
        json: view,
        markdown: () => renderModelCardMarkdown(view),
        html: () => renderModelCardHtml(view),
      });
    },
    getToolkitCard: async ({ params }, { baseUrl }) => {
      const view = await modelCardView(db, params, clock.now());
      return toolkitCard(view, `${baseUrl}/v1/models/${params.model}/versions/${params.version}/card`);
    },
    getDataCard: async ({ params }, { accept }) => {
      const { card } = await storage.getDatasetVersion(db, params.dataset);
      return inForm(accept, {
        json: card,
        markdown: () => renderDataCardMarkdown(card),
        html: () => renderDataCardHtml(card),
      });
    },
  } satisfies Partial<Handlers>;
}

/** The first is what a caller gets who does not mind. */
const FORMS = ['application/json', 'text/markdown', 'text/html'] as const;
type Form = (typeof FORMS)[number];

interface Forms {
  json: unknown;
  markdown: () => string;
  html: () => string;
}

function inForm(accept: string, forms: Forms): Response {
  const form = preferredForm(accept);
  switch (form) {
    case 'application/json':
      return Response.json(forms.json, { headers: { vary: 'accept' } });
    case 'text/markdown':
      return textResponse(forms.markdown(), form);
    case 'text/html':
      return textResponse(forms.html(), form, { 'content-security-policy': PAGE_POLICY });
  }
}

/** The form that the Accept header weighs most (RFC 9110, section 12.5.1); JSON where it names none of ours. */
function preferredForm(accept: string): Form {
  const ranges = parseAccept(accept);
  const weighed = FORMS.map((form) => ({ form, weight: weightOf(form, ranges) }));
  const best = Math.max(...weighed.map(({ weight }) => weight));
  return weighed.find(({ weight }) => weight > 0 && weight === best)?.form ?? FORMS[0];
}

/** The weight that the most specific range gives a form: one that is named counts by its own, whatever `text/*` or all else weighs. */
function weightOf(form: Form, ranges: readonly Accept[]): number {
  const [main] = form.split('/');
  for (const name of [form, `${main}/*`, '*/*']) {
    const range = ranges.find(({ type }) => type.toLowerCase() === name);
    if (range) return range.q;
  }
  return 0;
}

function textResponse(body: string, type: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    headers: { 'content-type': `${type}; charset=utf-8`, vary: 'accept', ...headers },
  });
}
