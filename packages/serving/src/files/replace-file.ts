import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface AtomicWriteOptions {
  /**
   * Whether the content is on disk when the write resolves. Without it a power cut may leave the old content, the new, or an empty file.
   * @default true
   */
  sync?: boolean;
}

/** Brings a folder's entries to disk: a new file is only sure to be found again once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file whole: a reader, also after a crash, sees the old content or the new. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { sync = true }: AtomicWriteOptions = {},
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(content);
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (sync) await syncFolder(dirname(path));
}
