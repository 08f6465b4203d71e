import type { Clock, IdGenerator } from '@perennial/contract';
import type { Closers } from './closers.ts';
import type { Logger } from './logger.ts';
import type { OpenStorage } from './storage.ts';

/** What every part of the platform is built on. */
export interface PlatformParts extends OpenStorage {
  clock: Clock;
  ids: IdGenerator;
  closers: Closers;
  logger: Logger;
}
