import { modelCardViewSchema, type CardEvents, type ModelCardView } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { readTags, textOf } from '../testing/page.ts';
import { sampleModelCard } from '../testing/sample-card.ts';
import { sampleEvents, sampleImportedCard, unreleased } from '../testing/sample-card-view.ts';
import { renderModelCardHtml, renderModelCardMarkdown } from './render-model-card.ts';

const overridden = (): ModelCardView => ({ card: sampleModelCard(), since: sampleEvents() });

const HOSTILE = '"><img src=x onerror=alert(1)>|**pass**\n\n## Gate\n\n> [!TIP]';

/** Events whose every free text is hostile. */
function hostileEvents(): CardEvents {
  const since = sampleEvents();
  since.description = HOSTILE;
  since.tags = { team: HOSTILE };
  for (const release of since.releases) {
    Object.assign(release, { reason: HOSTILE, requestedBy: HOSTILE, decidedBy: HOSTILE });
    for (const approval of release.approvals) Object.assign(approval, { comment: HOSTILE, by: HOSTILE });
  }
  for (const override of since.overrides) Object.assign(override, { reason: HOSTILE, by: HOSTILE });
  return since;
}

describe('the samples', () => {
  it.each([overridden(), unreleased(sampleImportedCard())])('are of the contract', (view) => {
    expect(modelCardViewSchema.parse(JSON.parse(JSON.stringify(view)))).toEqual(view);
  });
});

describe('an overridden gate', () => {
  it('stands in a marked box above everything else, with who and why', () => {
    const markdown = renderModelCardMarkdown(overridden());
    const box = markdown.slice(0, markdown.indexOf('\n\n| '));
    expect(box).toContain('> [!CAUTION]\n> **The gate was overridden.**');
    expect(box).toContain('**user:grace@example.org** let this version through on 2001-02-02 08:00 UTC');
    expect(box).toContain('> The champion fails on the new airports.');
  });

  it('stands before the verdict on the page too', () => {
    const page = renderModelCardHtml(overridden());
    const notes = readTags(page).filter(({ attributes }) => attributes['role'] === 'note');
    expect(notes.map(({ attributes }) => attributes['class'])).toEqual(['notice']);
    expect(page.indexOf('class="notice"')).toBeLessThan(page.indexOf('class="glance"'));
    expect(textOf(page)).toContain('The champion fails on the new airports.');
  });

  it('stays on the card when the release was rolled back and another one followed', () => {
    const view = overridden();
    const [release] = view.since.releases;
    view.since.releases = [{ ...release!, state: 'rolled-back', reason: 'Complaints.' }];
    expect(renderModelCardMarkdown(view)).toContain('> The champion fails on the new airports.');
  });

  it('leaves no box on the card of a version whose gate was not overridden', () => {
    expect(renderModelCardMarkdown(unreleased(sampleModelCard()))).not.toContain('[!CAUTION]');
    expect(renderModelCardHtml(unreleased(sampleModelCard()))).not.toContain('class="notice"');
  });
});

describe('releases on a card', () => {
  it('are shown with state, requester, approvals and dates', () => {
    const markdown = renderModelCardMarkdown(overridden());
    expect(markdown).toContain(
      '| **live** **override** | 2001-02-02 09:30 UTC | 2001-02-02 08:00 UTC | user:grace@example.org | 1 of 1 |',
    );
    expect(markdown).toContain(
      '| **rejected** | 2001-02-01 05:00 UTC | 2001-02-01 04:00 UTC | token:ops | 0 of 2 |',
    );
    expect(markdown).toMatch(/### Approvals\n\n.*\n.*\n\| user:ada@example\.org \| 2001-02-02 09:30 UTC \|/);
  });

  it('are said to be none where none was asked for', () => {
    expect(renderModelCardMarkdown(unreleased(sampleModelCard()))).toContain(
      '## Releases\n\nNo release has been asked for.',
    );
  });

  it('come after what was said of the version since', () => {
    const titles = renderModelCardMarkdown(overridden()).match(/^## .*$/gm) ?? [];
    expect(titles.slice(0, 4)).toEqual(['## Overview', '## Notes', '## Releases', '## Gate']);
    expect(renderModelCardMarkdown(overridden())).toContain('The one with the new airports.');
    expect(renderModelCardMarkdown(overridden())).toContain('| cost-centre | 42 |');
  });

  it('let no words of people become markup', () => {
    const view = { card: sampleModelCard(), since: hostileEvents() };
    const markdown = renderModelCardMarkdown(view);
    expect(markdown).not.toMatch(/<img|^> \[!TIP\]/m);
    expect(markdown.match(/^## Gate$/gm)).toHaveLength(1);
    const names = (page: string) => [...new Set(readTags(page).map(({ name }) => name))].toSorted();
    const page = renderModelCardHtml(view);
    expect(names(page)).toEqual(names(renderModelCardHtml(overridden())));
    for (const { attributes } of readTags(page))
      expect(Object.keys(attributes).filter((name) => name.startsWith('on'))).toEqual([]);
  });
});

describe('the card of a version that was made elsewhere', () => {
  it('reads as it always has', () => {
    expect(renderModelCardMarkdown(unreleased(sampleImportedCard()))).toMatchSnapshot();
  });

  it('has the headings of any card, and says under each what is not known', () => {
    const page = renderModelCardHtml(unreleased(sampleImportedCard()));
    const titles = [...page.matchAll(/<h2 id="[a-z-]+">([^<]*)<\/h2>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'Overview',
      'Releases',
      'Gate',
      'Metrics',
      'Data',
      'Features and label',
      'Input and output',
      'File',
      'Training',
      'Lineage',
      'History',
    ]);
    expect(textOf(page).match(/Not known: this version was made elsewhere\./g)).toHaveLength(7);
    expect(textOf(page)).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('has holes in nothing when the file says nothing of itself', () => {
    const bare = sampleImportedCard();
    bare.file = { ...bare.file, producer: '', operators: [], opsets: [] };
    bare.lineage = { ...bare.lineage, producer: '', note: '' };
    bare.history = [];
    const markdown = renderModelCardMarkdown(unreleased(bare));
    expect(markdown).toContain('| Made by | not stated |');
    expect(markdown).toContain('This is the first version.');
    expect(markdown).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('lets no words of the file become markup', () => {
    const card = sampleImportedCard();
    Object.assign(card.file, { producer: HOSTILE, operators: [{ name: HOSTILE, count: 1 }] });
    Object.assign(card.lineage, { producer: HOSTILE, note: HOSTILE, by: HOSTILE });
    expect(renderModelCardMarkdown(unreleased(card))).not.toMatch(/<img|^## Gate\n\n>/m);
    expect(readTags(renderModelCardHtml(unreleased(card))).some(({ name }) => name === 'img')).toBe(false);
  });
});
