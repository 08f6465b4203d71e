import type { Digest, ErrorDescription, RecordSpec } from '@perennial/contract';

/** A large request as it is handed to a thread. */
export interface LargeJob {
  model: string;
  version: number;
  artifact: Digest;
  /** The request's body as it was sent. */
  body: ArrayBuffer;
  /** The platform's time, in milliseconds since 1970. */
  at: number;
  /** What is put on record of it. */
  record: RecordSpec;
  /** What the request had taken when it was handed over, in microseconds. */
  elapsedMicroseconds: number;
}

export type ToThread =
  | { kind: 'job'; job: LargeJob }
  /** The bytes of the model that the job needs, checked against its digest. */
  | { kind: 'model'; bytes: Uint8Array }
  /** The job's model cannot be had: the job is given up. */
  | { kind: 'no-model' }
  /** A piece of the records is on record. */
  | { kind: 'recorded' }
  /** A model that is not served any more. */
  | { kind: 'forget'; artifact: Digest }
  | { kind: 'leave' };

export type FromThread =
  | { kind: 'need-model' }
  /** Frames of some records, to be put on record; answered by `recorded`. */
  | { kind: 'records'; frames: Uint8Array; records: number }
  | { kind: 'answer'; text: Uint8Array; rows: number; latencyMicroseconds: number }
  | { kind: 'refused'; error: ErrorDescription; transient: boolean }
  | { kind: 'given-up' };
