import type { DatabaseAddress } from '@perennial/storage';
import type { Position } from '../journal/position.ts';
import type { PlainError } from './plain-error.ts';
import type { ShipperCounters, ShippingPace } from './shipper.ts';

/** What a thread that ships is started with. */
export interface ThreadSetup {
  /** The journal's. */
  folder: string;
  firstSegment: number;
  oldestSegment: number;
  /** Where the journal ends: see `JournalEnd`. */
  end: SharedArrayBuffer;
  /** Where to begin; undefined: where the cursor file says. */
  from: Position | undefined;
  database: DatabaseAddress;
  pace: ShippingPace;
}

export type ToShippingThread =
  /** The journal has grown while the thread had asked to be told. */
  | { kind: 'grown' }
  /** Answered by `flushed` or `not-flushed`. */
  | { kind: 'flush'; flush: number }
  /** Finishes the batch under way, and ends. */
  | { kind: 'leave' };

export type FromShippingThread =
  /** Everything before the position is through. */
  | { kind: 'progress'; position: Position; counters: ShipperCounters }
  | { kind: 'problem'; error: PlainError; counters: ShipperCounters }
  /** Bytes of the journal that were stepped over. */
  | { kind: 'damage'; bytes: number }
  | { kind: 'flushed'; flush: number }
  | { kind: 'not-flushed'; flush: number; reason: string; cause: PlainError | undefined };
