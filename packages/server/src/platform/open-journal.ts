import { Journal, type JournalOptions } from '@perennial/serving';

/** A process that lost its database ships for as long as an attempt takes, and drains its connections for at most ten seconds. */
const PREDECESSOR_MILLISECONDS = 20_000;

/**
 * Opens a journal of this platform, once what is left of the last one has ended: serving processes whose parent was killed finish what is under way before they let their journals go, and the
 * platform that is started in their stead must not fail for that.
 * @throws JournalLockedError when another process goes on to use it
 */
export function openJournal(options: JournalOptions): Promise<Journal> {
  return Journal.open({ ...options, lockWaitMilliseconds: PREDECESSOR_MILLISECONDS });
}
