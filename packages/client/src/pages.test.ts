import { expect, it } from 'vitest';
import { everyItem } from './pages.ts';

const PAGES: Record<string, { items: number[]; nextCursor: string | null }> = {
  first: { items: [1, 2], nextCursor: 'second' },
  second: { items: [], nextCursor: 'third' },
  third: { items: [3], nextCursor: null },
};

function fetcher() {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    fetchPage: async (cursor: string | undefined) => {
      asked.push(cursor);
      return PAGES[cursor ?? 'first'] ?? { items: [], nextCursor: null };
    },
  };
}

it('walks every page, empty ones included, in order', async () => {
  const { asked, fetchPage } = fetcher();
  const items: number[] = [];
  for await (const item of everyItem(fetchPage)) items.push(item);
  expect(items).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, 'second', 'third']);
});

it('asks for no page that nobody gets to', async () => {
  const { asked, fetchPage } = fetcher();
  for await (const item of everyItem(fetchPage)) if (item === 2) break;
  expect(asked).toEqual([undefined]);
});
