import type { Clock, IdGenerator } from '@perennial/contract';
import type { Signer } from '@perennial/registry';
import type { Tracing } from '../tracing/tracing.ts';
import type { Closers } from './closers.ts';
import type { Logger } from './logger.ts';
import type { OpenStorage } from './storage.ts';

/** What every part of the platform is built on. */
export interface PlatformParts extends OpenStorage {
  clock: Clock;
  ids: IdGenerator;
  /** Signs what is approved, and knows whose signatures hold. */
  signer: Signer;
  /** Null where no traces are wanted. */
  tracing: Tracing | null;
  closers: Closers;
  logger: Logger;
}
