import { createHash } from 'node:crypto';
import { envelopeSchema, type Digest, type ReleaseStatement } from '@perennial/contract';
import {
  AttestationInvalidError,
  PublicKey,
  TrustedKeys,
  decodeStatement,
  verifyAttestation,
} from '@perennial/registry/attestation';

/** What a version's attestation is verified from where there is no platform to ask. */
export interface AttestedFiles {
  /** As it was found, which may be anything. */
  envelope: unknown;
  /** PEM of the public key that is trusted. */
  publicKey: string;
  /** The version that it is to be; absent: the one that it says. */
  version?: { model: string; version: number };
  /** The bytes of `model.onnx`; absent: they are not compared. */
  artifact?: Uint8Array;
}

/**
 * Holds an attestation, and the model's file where it is given, against a public key.
 * @throws AttestationInvalidError, SigningKeyInvalidError
 */
export function verifyFiles({ envelope, publicKey, version, artifact }: AttestedFiles): ReleaseStatement {
  const trusted = new TrustedKeys([PublicKey.read(publicKey)]);
  const named = version ?? versionIn(envelope);
  const claimed = artifact === undefined ? named : { ...named, artifact: digestOf(artifact) };
  return verifyAttestation(envelope, claimed, trusted);
}

/** The version that an envelope says it is of, which nobody has verified yet. */
function versionIn(given: unknown): { model: string; version: number } {
  const envelope = envelopeSchema.safeParse(given).data;
  const statement = envelope && decodeStatement(Buffer.from(envelope.payload, 'base64'));
  if (statement === undefined)
    throw new AttestationInvalidError({ model: '(unknown)', version: 0 }, 'the file is no attestation');
  return statement.predicate;
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
