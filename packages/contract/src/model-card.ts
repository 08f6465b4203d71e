import { z } from 'zod';
import { signatureSchema } from './encoding.ts';
import { columnSummarySchema } from './dataset.ts';
import { baselineSchema, evaluationSchema, importanceSchema, metricValuesSchema } from './evaluation.ts';
import { gateReportSchema, verdictSchema } from './gate-report.ts';
import { idSchema } from './ids.ts';
import { importedLineageSchema, runLineageSchema } from './lineage.ts';
import { digestSchema, instantSchema, nameSchema } from './names.ts';
import { featureSpecSchema, labelSpecSchema, trainSpecSchema } from './pipeline-spec.ts';
import { releaseSchema } from './release.ts';
import { tagsSchema } from './tags.ts';
import { trainingResultSchema } from './training.ts';

/** What the cards of all versions have. */
const common = {
  /** Version of this format. */
  format: z.literal(2),
  model: nameSchema,
  version: z.int().positive(),
  createdAt: instantSchema,
  overview: z.strictObject({
    description: z.string(),
    owners: z.array(z.string()),
    intendedUse: z.string(),
    limitations: z.array(z.string()),
  }),
  signature: signatureSchema,
  /** The versions before this one, newest first, at most 20. */
  history: z.array(
    z.strictObject({
      version: z.int().positive(),
      createdAt: instantSchema,
      /** Null of an imported version. */
      verdict: verdictSchema.nullable(),
      metrics: metricValuesSchema,
    }),
  ),
};

/** What a version is, what it was trained on, how good it is, and where it should not be used. */
export const trainedCardSchema = z.strictObject({
  kind: z.literal('trained'),
  ...common,
  features: z.record(z.string(), featureSpecSchema),
  label: labelSpecSchema,
  data: z.strictObject({
    dataset: digestSchema,
    asOf: instantSchema,
    rows: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
    quarantined: z.int(),
    from: instantSchema,
    to: instantSchema,
    /** The columns that features are made from, over the training rows. */
    columns: z.array(columnSummarySchema),
  }),
  training: trainingResultSchema.extend({ spec: trainSpecSchema }),
  evaluation: evaluationSchema,
  championEvaluation: evaluationSchema.nullable(),
  baselines: z.array(baselineSchema),
  /** Most important first. */
  importance: z.array(importanceSchema),
  gate: gateReportSchema,
  lineage: runLineageSchema,
});
export type TrainedCard = z.infer<typeof trainedCardSchema>;

/** The card of a file that was made elsewhere: what the file says of itself, and that nothing more is known. */
export const importedCardSchema = z.strictObject({
  kind: z.literal('imported'),
  ...common,
  file: z.strictObject({
    bytes: z.int(),
    /** Of the file as it was given, before it was put into our form. */
    digest: digestSchema,
    producer: z.string(),
    opsets: z.array(z.strictObject({ domain: z.string(), version: z.int() })),
    /** Operators with how often each occurs, most frequent first. */
    operators: z.array(z.strictObject({ name: z.string(), count: z.int().positive() })),
    parameters: z.int().nullable(),
  }),
  /** Rows that it was run on before it was taken. */
  sampleRows: z.int().positive(),
  lineage: importedLineageSchema,
});
export type ImportedCard = z.infer<typeof importedCardSchema>;

export const modelCardSchema = z.discriminatedUnion('kind', [trainedCardSchema, importedCardSchema]);
export type ModelCard = z.infer<typeof modelCardSchema>;

/** An admin's word against the gate's; on the card for ever, whatever became of the release. */
export const overrideSchema = z.strictObject({
  release: idSchema('release'),
  by: z.string(),
  at: instantSchema,
  /** Why, as it was said when the release was asked for. */
  reason: z.string(),
});
export type Override = z.infer<typeof overrideSchema>;

/** What happened to a version since it was registered, and what is said of it. */
export const cardEventsSchema = z.strictObject({
  description: z.string(),
  tags: tagsSchema,
  /** Newest first. */
  releases: z.array(releaseSchema),
  /** Oldest first. */
  overrides: z.array(overrideSchema),
});
export type CardEvents = z.infer<typeof cardEventsSchema>;

/** The card of a version as it is shown: as it was written at registration, with what happened since. */
export const modelCardViewSchema = z.strictObject({ card: modelCardSchema, since: cardEventsSchema });
export type ModelCardView = z.infer<typeof modelCardViewSchema>;
