import { z } from 'zod';
import { idSchema } from './ids.ts';
import { instantSchema, nameSchema, textSchema } from './names.ts';

/** The fact: true or false for a binary label, the class for a multiclass one, the number for a regression. */
export const labelValueSchema = z.union([z.boolean(), z.number(), textSchema({ max: 256 })]);
export type LabelValue = z.infer<typeof labelValueSchema>;

const observed = { label: labelValueSchema, observedAt: instantSchema.optional() };

/** A fact by the prediction it belongs to, or by model and key, where it may come before its prediction. */
export const groundTruthItemSchema = z.union([
  z.strictObject({ prediction: idSchema('prediction'), ...observed }),
  z.strictObject({ model: nameSchema, key: textSchema({ min: 1, max: 256 }), ...observed }),
]);
export type GroundTruthItem = z.infer<typeof groundTruthItemSchema>;

export const groundTruthRequestSchema = z.strictObject({
  items: z.array(groundTruthItemSchema).min(1).max(50_000),
});
export type GroundTruthRequest = z.infer<typeof groundTruthRequestSchema>;

export const groundTruthResponseSchema = z.strictObject({
  accepted: z.int(),
  /** Of these, how many name a key that no prediction has had yet. */
  pending: z.int(),
});
export type GroundTruthResponse = z.infer<typeof groundTruthResponseSchema>;
