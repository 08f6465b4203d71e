import type { Durability } from './segment-writer.ts';

/** What happens to records for which there is no room: their append fails, or succeeds without them and counts. */
export type WhenFull = 'refuse' | 'drop-and-count';

export interface JournalOptions {
  /** Folder of its own; made when it is not there. */
  folder: string;
  /** @default 'disk' */
  durability?: Durability;
  /** Size at which a segment is closed and the next begun, in bytes. @default 64 MiB */
  segmentBytes?: number;
  /** Most bytes of records that wait to be written before appends are refused as overload. @default 64 MiB */
  queueBytes?: number;
  /** Most bytes of segments on disk before the journal counts as full, as if its disk were. @default 16 GiB */
  maxBytes?: number;
  /**
   * What an append does when there is no room: fail with JournalFullError, so that no prediction is given that is not on record, or
   * succeed without a record and count it.
   * @default 'refuse'
   */
  whenFull?: WhenFull;
  /** How long another process that has the folder open is waited for, in milliseconds. @default 0 */
  lockWaitMilliseconds?: number;
}

/** How records are to be taken; what is absent is as the journal was opened. */
export interface AppendTerms {
  /**
   * When the append is acknowledged. Records that need not be on the disk are acknowledged as soon as they are written, also while others of the
   * same journal wait for the disk.
   */
  durability?: Durability;
  whenFull?: WhenFull;
}

/** What has happened since the journal was opened. */
export interface JournalCounters {
  /** Calls of `append` that were taken. */
  appends: number;
  /** Records written. */
  records: number;
  /** Bytes written, frames included. */
  bytes: number;
  /** Groups written, each by one write. */
  commits: number;
  /** Groups that were also brought to disk. */
  syncs: number;
  /** Appends refused because too much waits to be written. */
  overloads: number;
  /** Records that found no room and were refused. */
  refused: number;
  /** Records that found no room and whose predictions were answered nevertheless. */
  dropped: number;
  /** Groups that could not be written for another reason than room. */
  failures: number;
  /** Bytes of an unfinished last frame, cut off when the journal was opened. */
  tornBytes: number;
  /** Bytes that readers stepped over because they are no whole frame. */
  damagedBytes: number;
}

export function zeroCounters(): JournalCounters {
  return {
    appends: 0,
    records: 0,
    bytes: 0,
    commits: 0,
    syncs: 0,
    overloads: 0,
    refused: 0,
    dropped: 0,
    failures: 0,
    tornBytes: 0,
    damagedBytes: 0,
  };
}

const MEBIBYTE = 1024 * 1024;
export const JOURNAL_DEFAULTS = {
  durability: 'disk',
  segmentBytes: 64 * MEBIBYTE,
  queueBytes: 64 * MEBIBYTE,
  maxBytes: 16 * 1024 * MEBIBYTE,
  whenFull: 'refuse',
  lockWaitMilliseconds: 0,
} as const;
