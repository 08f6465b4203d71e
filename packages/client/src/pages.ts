import type { Page } from '@perennial/contract';

/** Walks a list from its first page to its last: `for await (const run of everyItem((cursor) => client.listRuns({ query: { cursor } })))`. */
export async function* everyItem<Item>(
  fetchPage: (cursor: string | undefined) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
