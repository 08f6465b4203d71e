import type { Plot } from '../plots/plot.ts';

/**
 * What a card says, apart from how it looks: written once, rendered as Markdown and as HTML. Every text in it is plain, and each renderer escapes
 * all of it in one place; so no section has to think of it, and none can forget it.
 */
export interface Document {
  title: string;
  /** Beneath the title. */
  lead: Text;
  /** What nobody may overlook, in marked boxes before all else. */
  notices?: readonly Notice[];
  /** The few things a reader looks for first. */
  glance: readonly Fact[];
  sections: readonly Section[];
}

export interface Notice {
  title: string;
  text: Text;
  /** Somebody's own words on it. */
  quote: string;
}

export interface Section {
  title: string;
  blocks: readonly Block[];
}

/** How a word is meant: of a verdict, an outcome, a state. */
export type Tone = 'good' | 'bad' | 'unsure' | 'plain';

export type Part =
  | string
  | { code: string }
  | { strong: string }
  /** Beside what it belongs to, and less than it. */
  | { aside: string }
  | { badge: string; tone: Tone };
export type Text = Part | readonly Part[];
export type Fact = readonly [name: string, value: Text];

export interface Table {
  kind: 'table';
  /** What the table shows, for those who hear it. */
  caption: string;
  head: readonly string[];
  rows: readonly (readonly Text[])[];
  /** The columns of numbers, which are set to the right. */
  numeric?: readonly number[];
}

export type Block =
  | { kind: 'text'; text: Text }
  /** Somebody's own words: paragraphs parted by empty lines. */
  | { kind: 'prose'; text: string }
  | { kind: 'list'; items: readonly Text[] }
  | { kind: 'heading'; text: string }
  | Table
  | { kind: 'facts'; caption: string; entries: readonly Fact[] }
  /** Shown beside each other where there is room. Markdown leaves them out: the tables around them hold their numbers. */
  | { kind: 'plots'; plots: readonly Plot[] };

export function partsOf(text: Text): readonly Part[] {
  return typeof text === 'object' && Symbol.iterator in text ? text : [text];
}

/** Parts are words beside each other, but for those that begin with a point or a comma. */
export function gapBefore(part: Part, index: number): '' | ' ' {
  return index === 0 || (typeof part === 'string' && /^[,.;:)]/.test(part)) ? '' : ' ';
}
