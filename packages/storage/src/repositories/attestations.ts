import { and, asc, eq } from 'drizzle-orm';
import {
  NotFoundError,
  type Digest,
  type Envelope,
  type GateReport,
  type ModelCard,
  type Signature,
} from '@perennial/contract';
import { attestations, modelVersions, signingKeys } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** All of a version that a signature is over, as it is on record. */
export interface VersionContents {
  model: string;
  version: number;
  artifact: Digest;
  signature: Signature;
  card: ModelCard;
  /** Null of an imported version. */
  gateReport: GateReport | null;
  dataset: Digest | null;
  /** The signed statement as it was found, which may be anything; null where nobody has signed the version. */
  envelope: unknown;
}

/** A version's contents with what was signed of it, read in one statement: of one instant. @throws NotFoundError */
export async function getVersionContents(
  db: Executor,
  model: string,
  version: number,
): Promise<VersionContents> {
  const [row] = await db
    .select({
      model: modelVersions.model,
      version: modelVersions.version,
      artifact: modelVersions.artifactDigest,
      signature: modelVersions.signature,
      card: modelVersions.card,
      gateReport: modelVersions.gate,
      dataset: modelVersions.datasetDigest,
      envelope: attestations.envelope,
    })
    .from(modelVersions)
    .leftJoin(
      attestations,
      and(eq(attestations.model, modelVersions.model), eq(attestations.version, modelVersions.version)),
    )
    .where(and(eq(modelVersions.model, model), eq(modelVersions.version, version)));
  if (!row) throw new NotFoundError('version', `${model}@${version}`);
  return row;
}

export interface NewAttestation {
  model: string;
  version: number;
  envelope: Envelope;
  keyId: string;
  signedAt: Date;
}

/**
 * Writes down what was signed of a version, whose key must be on record.
 * @throws UniqueViolationError when the version is signed: it is signed once
 */
export async function insertAttestation(tx: Executor, attestation: NewAttestation): Promise<void> {
  await tx.insert(attestations).values(attestation);
}

/** The public half of a key that versions are signed with. */
export interface SigningKeyRow {
  /** SHA-256 of the public key's DER form, in hexadecimal. */
  id: string;
  /** SPKI in PEM. */
  publicKey: string;
  createdAt: Date;
}

/** @returns whether the key was new */
export async function insertSigningKey(tx: Executor, key: SigningKeyRow): Promise<boolean> {
  const rows = await tx.insert(signingKeys).values(key).onConflictDoNothing().returning();
  return rows.length === 1;
}

/** Every key that versions were ever signed with, oldest first. Which are trusted is not said here: whoever can write a row would be. */
export function listSigningKeys(db: Executor): Promise<SigningKeyRow[]> {
  return db.select().from(signingKeys).orderBy(asc(signingKeys.createdAt), asc(signingKeys.id));
}
