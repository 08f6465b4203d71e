import { InvalidRequestError, type Page, type PageQuery } from '@perennial/contract';

/** The sort key of a row as an opaque text. */
export function encodeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/**
 * The sort key inside a cursor, checked against the pattern that the list's keys have.
 * @throws InvalidRequestError when the cursor was not made by this list
 */
export function decodeCursor(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(key)) {
    throw new InvalidRequestError('The cursor is not one that this list gave.', [
      { path: 'cursor', message: 'not valid' },
    ]);
  }
  return key;
}

/**
 * Cuts a page out of rows that were asked for with `limit + 1`: the extra row only tells that there is more.
 */
export function pageOf<Row, Item>(
  rows: Row[],
  { limit }: PageQuery,
  { item, key }: { item: (row: Row) => Item; key: (row: Row) => string },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(item), nextCursor: more ? encodeCursor(key(last)) : null };
}

export const UUID_KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const NAME_KEY = /^[a-z][a-z0-9-]{0,62}$/;
export const NUMBER_KEY = /^[0-9]{1,9}$/;
