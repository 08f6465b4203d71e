import type { Clock, IdGenerator } from '@perennial/contract';
import type { Database, Decision } from '@perennial/storage';
import type { Signer } from './attestation/signer.ts';
import type { Actor } from './release-policy.ts';

/** What a change of a release needs beside the transaction it runs in. */
export interface ReleaseContext {
  clock: Clock;
  ids: IdGenerator;
  /** Signs a version in the transaction that approves it. */
  signer: Pick<Signer, 'attest'>;
}

/** Where people decide releases. */
export interface ReleaseDesk extends ReleaseContext {
  database: Database;
}

/** Somebody who asks, and where the request came from, for the audit: network address and request id, `scheduler`, `worker`. */
export interface Caller extends Actor {
  origin: string;
}

/** A decision with where it came from. */
export interface Deed extends Decision {
  origin: string;
}
