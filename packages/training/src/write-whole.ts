import { rename, rm, writeFile } from 'node:fs/promises';

/** Writes a file of which a reader sees the whole or nothing, also when the disk fills up half-way. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
