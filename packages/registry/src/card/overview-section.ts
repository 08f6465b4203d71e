import type { ModelCard } from '@perennial/contract';
import type { Block, Section } from '../document/document.ts';

export function overviewSection({ overview }: Pick<ModelCard, 'overview'>): Section {
  const { description, owners, intendedUse, limitations } = overview;
  return {
    title: 'Overview',
    blocks: [
      said(description, 'The author gives no description.'),
      { kind: 'heading', text: 'Owners' },
      owners.length === 0 ? { kind: 'text', text: 'Not stated.' } : { kind: 'list', items: owners },
      { kind: 'heading', text: 'Intended use' },
      said(intendedUse, 'Not stated.'),
      { kind: 'heading', text: 'Limitations' },
      limitations.length === 0
        ? { kind: 'text', text: 'None stated.' }
        : { kind: 'list', items: limitations },
    ],
  };
}

/** The author's own words, or that there are none. */
function said(text: string, otherwise: string): Block {
  return text.trim() === '' ? { kind: 'text', text: otherwise } : { kind: 'prose', text };
}
