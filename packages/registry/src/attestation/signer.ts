import {
  getVersionContents,
  insertAttestation,
  insertSigningKey,
  recordChange,
  type Executor,
} from '@perennial/storage';
import { SigningKeyMissingError } from '../errors.ts';
import { sealEnvelope } from './envelope.ts';
import { digestsOf, encodeStatement, releaseStatement, type ApprovedRelease } from './release-statement.ts';
import type { SigningKey, TrustedKeys } from './signing-key.ts';
import { verifyAttestation } from './verify-attestation.ts';

export interface SignerOptions {
  /** Null in a process that may verify and not sign. */
  key: SigningKey | null;
  /** The keys whose earlier signatures hold; the signer's own among them. */
  trusted: TrustedKeys;
}

export interface Attested extends ApprovedRelease {
  /** Where the approval came from, for the audit. */
  origin: string;
}

/** Signs versions when they are approved, with the installation's key. */
export class Signer {
  readonly #key: SigningKey | null;
  readonly trusted: TrustedKeys;

  constructor({ key, trusted }: SignerOptions) {
    this.#key = key;
    this.trusted = trusted;
  }

  /** Puts the key's public half on record, for those who verify later. Changes nothing where it is. */
  async register(tx: Executor, { at, by, origin }: { at: Date; by: string; origin: string }): Promise<void> {
    if (this.#key === null) return;
    const { id, pem } = this.#key.publicKey;
    if (!(await insertSigningKey(tx, { id, publicKey: pem, createdAt: at }))) return;
    recordChange(tx, {
      at,
      by,
      action: 'signing-key.added',
      subject: `signing-key:${id}`,
      details: { key: id },
      origin,
    });
  }

  /**
   * Signs what a version is at this moment, in the transaction that approves it. A version is signed once: one that was approved before keeps
   * its attestation, if that holds.
   *
   * @throws NotFoundError when there is no such version
   * @throws SigningKeyMissingError when this process has no key to sign with
   * @throws AttestationInvalidError when the version has an attestation that does not hold: it could go live and would not be served
   */
  async attest(tx: Executor, approved: Attested): Promise<void> {
    const { model, version, release, approvedBy, at, origin } = approved;
    const { envelope, ...contents } = await getVersionContents(tx, model, version);
    const digests = digestsOf(contents);
    if (envelope !== null) {
      verifyAttestation(envelope, digests, this.trusted);
      return;
    }
    if (this.#key === null) throw new SigningKeyMissingError(model, version);
    const by = approvedBy.at(-1) ?? 'platform';
    await this.register(tx, { at, by, origin });
    const sealed = sealEnvelope(encodeStatement(releaseStatement(digests, approved)), this.#key);
    const keyId = this.#key.id;
    await insertAttestation(tx, { model, version, envelope: sealed, keyId, signedAt: at });
    recordChange(tx, {
      at,
      by,
      action: 'version.signed',
      subject: `version:${model}@${version}`,
      details: { key: keyId, release, artifact: digests.artifact },
      origin,
    });
  }
}
