import type { ReleaseStatement } from '@perennial/contract';
import { AttestationInvalidError } from '../errors.ts';
import { openEnvelope } from './envelope.ts';
import { decodeStatement, digestsIn, type VersionDigests } from './release-statement.ts';
import type { TrustedKeys } from './signing-key.ts';

/** A version as it is to be used: what is not given is not compared. */
export type Claimed = Pick<VersionDigests, 'model' | 'version'> & Partial<VersionDigests>;

const WORDS: Record<keyof VersionDigests, string> = {
  model: 'model',
  version: 'version',
  artifact: 'artifact',
  signature: 'signature',
  card: 'card',
  gateReport: 'gate report',
  dataset: 'dataset version',
};

/**
 * Holds a version against what was signed of it when it was approved.
 * @param envelope as it was found; null where there is none
 * @returns the statement, which a trusted key has signed and which says the same of the version as is claimed
 * @throws AttestationInvalidError otherwise
 */
export function verifyAttestation(
  envelope: unknown,
  claimed: Claimed,
  trusted: TrustedKeys,
): ReleaseStatement {
  const refuse = (problem: string) => new AttestationInvalidError(claimed, problem);
  if (envelope === null || envelope === undefined) throw refuse('nobody has approved and signed it');
  const opened = openEnvelope(envelope, trusted);
  if ('problem' in opened) throw refuse(`of its attestation, ${opened.problem}`);
  const statement = decodeStatement(opened.payload);
  const signed = statement && digestsIn(statement);
  if (statement === undefined || signed === undefined)
    throw refuse('what was signed is no statement of a release');
  const fields = Object.keys(WORDS) as (keyof VersionDigests)[];
  const other = fields.find((field) => claimed[field] !== undefined && claimed[field] !== signed[field]);
  if (other !== undefined) throw refuse(`its ${WORDS[other]} is not the one that was approved and signed`);
  return statement;
}
