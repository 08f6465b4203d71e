import type { Envelope } from '@perennial/contract';
import { transaction, type Database } from '@perennial/storage';
import { sealEnvelope } from '../attestation/envelope.ts';
import {
  encodeStatement,
  releaseStatement,
  type ApprovedRelease,
  type VersionDigests,
} from '../attestation/release-statement.ts';
import { Signer } from '../attestation/signer.ts';
import { SigningKey, TrustedKeys, generateSigningKey } from '../attestation/signing-key.ts';

/** An installation's key, its signer and the trust in it, all new. */
export interface TestSigning {
  key: SigningKey;
  /** PKCS#8 in PEM, for a process that reads it from a file. */
  pem: string;
  trusted: TrustedKeys;
  signer: Signer;
}

export function testSigning(): TestSigning {
  const pem = generateSigningKey();
  const key = SigningKey.read(pem);
  const trusted = new TrustedKeys([key.publicKey]);
  return { key, pem, trusted, signer: new Signer({ key, trusted }) };
}

const APPROVED = {
  release: 'rel_018c2f3e-6f2a-7000-8000-000000000000',
  approvedBy: ['test'],
  at: new Date('2001-02-03T04:05:06Z'),
};

/** Signs a version that a test has written into the database, as its approval would. */
export async function signVersion(
  database: Database,
  { model, version }: Pick<ApprovedRelease, 'model' | 'version'>,
  { signer }: Pick<TestSigning, 'signer'>,
): Promise<void> {
  await transaction(database, (tx) => signer.attest(tx, { model, version, ...APPROVED, origin: 'test' }));
}

/** What would be signed of a version that is in no database. */
export function sealVersion(digests: VersionDigests, { key }: Pick<TestSigning, 'key'>): Envelope {
  const { model, version } = digests;
  return sealEnvelope(encodeStatement(releaseStatement(digests, { model, version, ...APPROVED })), key);
}
