import { digestSchema, nameSchema } from '@perennial/contract';
import { z } from 'zod';

/** What an artifact's server is told, as the first line of its standard input: the token stands in no list of processes there. */
export const assignmentSchema = z.strictObject({
  /** Local path of the artifact. */
  file: z.string().min(1),
  /** The name that it is served under. */
  model: nameSchema,
  /** The bearer token that it asks for. */
  token: z.string().min(32),
  /** Working folder: exists, and is removed at the end. */
  folder: z.string().min(1),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/** What it says once it answers, as the first line of its standard output. */
export const announcementSchema = z.strictObject({ url: z.url(), artifact: digestSchema });
