import { z } from 'zod';
import { digestSchema, instantSchema } from './names.ts';

/** Type of the statement's predicate. */
export const RELEASE_PREDICATE = 'urn:perennial:release:v1';
/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md */
export const STATEMENT_MEDIA_TYPE = 'application/vnd.in-toto+json';

/** What is signed when a version is approved: the digests of everything that it is. */
export const releaseStatementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(
      z.strictObject({
        name: z.string(),
        digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      }),
    )
    .min(1),
  predicateType: z.literal(RELEASE_PREDICATE),
  predicate: z.strictObject({
    model: z.string(),
    version: z.int(),
    release: z.string(),
    approvedBy: z.array(z.string()),
    approvedAt: instantSchema,
    /** Digests of the canonical JSON of signature, card and gate report; null of what an imported version does not have. */
    signature: digestSchema,
    card: digestSchema,
    gateReport: digestSchema.nullable(),
    dataset: digestSchema.nullable(),
  }),
});
export type ReleaseStatement = z.infer<typeof releaseStatementSchema>;

/** Dead Simple Signing Envelope (https://github.com/secure-systems-lab/dsse): Ed25519 over the pre-authentication encoding. */
export const envelopeSchema = z.strictObject({
  payloadType: z.literal(STATEMENT_MEDIA_TYPE),
  /** Base64 of the statement's JSON. */
  payload: z.base64(),
  signatures: z
    .array(z.strictObject({ keyid: z.string(), sig: z.base64() }))
    .min(1)
    .max(4),
});
export type Envelope = z.infer<typeof envelopeSchema>;

export const attestationSchema = z.strictObject({
  envelope: envelopeSchema,
  statement: releaseStatementSchema,
  /** Whether the signature holds and the digests are those of what is on record now. */
  valid: z.boolean(),
  problem: z.string().nullable(),
});
export type Attestation = z.infer<typeof attestationSchema>;
