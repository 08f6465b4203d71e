import { z } from 'zod';

/**
 * A model card in the fields of Google's Model Card Toolkit, JSON schema v0.0.2 (google/model-card-toolkit,
 * `schema/v0.0.2/model_card.schema.json`). It has no room for intervals or a gate report; these are what `references` leads to.
 */
const graphics = z.strictObject({
  description: z.string(),
  collection: z.array(z.strictObject({ name: z.string(), image: z.string() })),
});
const described = z.array(z.strictObject({ description: z.string() }));

export const toolkitCardSchema = z.strictObject({
  schema_version: z.literal('0.0.2'),
  model_details: z.strictObject({
    name: z.string(),
    overview: z.string(),
    documentation: z.string().optional(),
    owners: z.array(z.strictObject({ name: z.string(), contact: z.string().optional() })),
    version: z.strictObject({ name: z.string(), date: z.string(), diff: z.string().optional() }),
    references: z.array(z.strictObject({ reference: z.string() })),
  }),
  model_parameters: z.strictObject({
    model_architecture: z.string(),
    data: z.array(
      z.strictObject({
        name: z.string(),
        link: z.string().optional(),
        description: z.string().optional(),
        graphics: graphics.optional(),
      }),
    ),
    input_format: z.string(),
    output_format: z.string(),
  }),
  quantitative_analysis: z.strictObject({
    performance_metrics: z.array(
      z.strictObject({ type: z.string(), value: z.number(), slice: z.string().optional() }),
    ),
    graphics: graphics.optional(),
  }),
  considerations: z.strictObject({
    users: described,
    use_cases: described,
    limitations: described,
    tradeoffs: described,
    ethical_considerations: z.array(z.strictObject({ name: z.string(), mitigation_strategy: z.string() })),
  }),
});
export type ToolkitCard = z.infer<typeof toolkitCardSchema>;
