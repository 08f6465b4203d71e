import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@perennial/contract';

/**
 * The address of a pipeline's code: sha-256 over each local file's name and content. Names are relative to the pipeline's folder, so the
 * same code has the same address on every machine; lengths stand before both, so that no two sets of files run together to the same bytes.
 *
 * @param inputs - paths relative to `folder` with forward slashes, sorted
 */
export async function codeDigest(folder: string, inputs: readonly string[]): Promise<Digest> {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const content = await readFile(join(folder, input));
    hash.update(`${Buffer.byteLength(input)}:${input}${content.length}:`).update(content);
  }
  return `sha256:${hash.digest('hex')}`;
}
