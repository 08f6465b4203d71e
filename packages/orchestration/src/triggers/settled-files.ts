import type { WatchedFile } from './file-lister.ts';

interface Seen {
  bytes: number;
  version: string;
  /** Milliseconds since 1970 at which it was first seen like this. */
  since: number;
  /** Whether its content has been dealt with. */
  handled: boolean;
}

/**
 * Remembers files from one listing to the next, to tell those that have stood still from those that are still being written. Time is that of the
 * watching clock; the files' own times, which other machines may have set, are only compared with each other.
 */
export class SettledFiles {
  readonly #settleMilliseconds: number;
  readonly #seen = new Map<string, Seen>();

  constructor(settleMilliseconds: number) {
    this.#settleMilliseconds = settleMilliseconds;
  }

  /** Takes note of a listing. @returns the files that have stood still for long enough and have not been handled; empty ones never settle */
  settled(files: readonly WatchedFile[], now: Date): WatchedFile[] {
    const names = new Set(files.map((file) => file.name));
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    return files.filter((file) => this.#hasSettled(file, now.getTime()));
  }

  /** These are done with, until they change. */
  markHandled(files: readonly WatchedFile[]): void {
    for (const file of files) {
      const seen = this.#seen.get(file.name);
      if (seen !== undefined && isSame(seen, file)) seen.handled = true;
    }
  }

  #hasSettled(file: WatchedFile, now: number): boolean {
    const seen = this.#seen.get(file.name);
    if (seen === undefined || !isSame(seen, file)) {
      const { bytes, version } = file;
      this.#seen.set(file.name, { bytes, version, since: now, handled: false });
      return false;
    }
    return !seen.handled && file.bytes > 0 && now - seen.since >= this.#settleMilliseconds;
  }
}

export function isSame(
  a: Pick<WatchedFile, 'bytes' | 'version'>,
  b: Pick<WatchedFile, 'bytes' | 'version'>,
): boolean {
  return a.bytes === b.bytes && a.version === b.version;
}
