import { z } from 'zod';

/** Why a run started. */
export const triggerKindSchema = z.enum(['schedule', 'file', 'request', 'stream', 'staleness', 'replay']);
export const triggerSchema = z.strictObject({ kind: triggerKindSchema, by: z.string().max(200) });
export type Trigger = z.infer<typeof triggerSchema>;
