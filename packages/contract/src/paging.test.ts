import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pageQuerySchema, pageSchema } from './paging.ts';

describe('the query of a list', () => {
  it('has fifty items when nothing is said', () => {
    expect(pageQuerySchema.parse({})).toEqual({ limit: 50 });
  });

  it('reads the limit from text, as it stands in an address', () => {
    expect(pageQuerySchema.parse({ limit: '500', cursor: 'abc' })).toEqual({ limit: 500, cursor: 'abc' });
  });

  it.each(['0', '-1', '501', '1.5', 'many', '', 'NaN', 'Infinity'])('refuses %j as a limit', (limit) => {
    expect(pageQuerySchema.safeParse({ limit }).success).toBe(false);
  });

  it('refuses what it does not know, so that a misspelt filter is not a wider one', () => {
    expect(pageQuerySchema.safeParse({ limt: '5' }).success).toBe(false);
  });
});

it('a page knows its items and where the next one begins', () => {
  const schema = pageSchema(z.int());
  expect(schema.parse({ items: [1], nextCursor: null })).toEqual({ items: [1], nextCursor: null });
  expect(schema.safeParse({ items: ['1'], nextCursor: null }).success).toBe(false);
  expect(schema.safeParse({ items: [] }).success).toBe(false);
});
