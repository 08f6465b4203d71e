import { z } from 'zod';

/** Query parameters of every list. The cursor is opaque: pass back what `nextCursor` said. */
export const pageQuery = {
  limit: z.coerce.number<number>().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
};
export const pageQuerySchema = z.strictObject(pageQuery);
export type PageQuery = z.infer<typeof pageQuerySchema>;

/** A page of a list, newest first. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}
