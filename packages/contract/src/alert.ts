import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema } from './names.ts';

/** Why somebody is told. Monitoring adds kinds of its own. */
export const alertKindSchema = z.enum(['candidate-worse']);
export type AlertKind = z.infer<typeof alertKindSchema>;

/** Something that a person should look at; raised once, in the transaction of what it is about. */
export const alertSchema = z.strictObject({
  id: idSchema('alert'),
  kind: alertKindSchema,
  severity: z.enum(['warning', 'critical']),
  model: nameSchema,
  run: idSchema('run').nullable(),
  version: z.int().nullable(),
  title: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
  at: instantSchema,
});
export type Alert = z.infer<typeof alertSchema>;
