import { z } from 'zod';
import { textSchema } from './names.ts';

/** Name of a tag. */
export const tagKeySchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_./ -]{0,249}$/,
    'must be 1 to 250 letters, digits, spaces, or any of _ . / -',
  );

/** Tags by name. */
export const tagsSchema = z.record(z.string(), z.string());
export type Tags = z.infer<typeof tagsSchema>;

export const tagRequestSchema = z.strictObject({ key: tagKeySchema, value: textSchema({ max: 5_000 }) });
