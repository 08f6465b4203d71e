import { InferenceModel } from '@perennial/onnx';
import {
  AttestationInvalidError,
  digestsOf,
  verifyAttestation,
  type TrustedKeys,
} from '@perennial/registry/attestation';
import { ArtifactDigestError } from '@perennial/serving';
import {
  digestOf,
  digestOfJson,
  getVersionContents,
  type ArtifactStore,
  type Database,
} from '@perennial/storage';

export interface VersionSources {
  database: Database;
  artifacts: ArtifactStore;
  /** Whose signatures hold. */
  trusted: TrustedKeys;
}

/**
 * Opens a version as online serving does: it is what was approved and signed, down to the bytes.
 * @throws AttestationInvalidError, ArtifactDigestError; what the store throws
 */
export async function loadVersion(
  { model, version, artifact }: { model: string; version: number; artifact: string },
  { database, artifacts, trusted }: VersionSources,
): Promise<InferenceModel> {
  const { envelope, ...contents } = await getVersionContents(database.orm, model, version);
  const claimed = { ...digestsOf(contents), model, version, artifact };
  const statement = verifyAttestation(envelope, claimed, trusted);
  const bytes = await artifacts.get(artifact);
  if (digestOf(bytes) !== artifact) throw new ArtifactDigestError(artifact);
  const inference = await InferenceModel.load(bytes);
  if (digestOfJson(inference.signature) === statement.predicate.signature) return inference;
  await inference.release();
  throw new AttestationInvalidError(
    { model, version },
    "its file's signature is not the one that was approved and signed",
  );
}
