import { createHash } from 'node:crypto';
import { InvalidIdError, canonicalJson, digestSchema, type Digest } from '@perennial/contract';

const PREFIX = 'sha256:';

export function digestOf(bytes: Uint8Array): Digest {
  return `${PREFIX}${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The digest of a value's canonical JSON: equal values have equal digests, whatever the order of their keys. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(Buffer.from(canonicalJson(value), 'utf8'));
}

/** Takes a digest as the bytes go by. */
export class RunningDigest {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Ends the count; call once. */
  finish(): { digest: Digest; bytes: number } {
    return { digest: `${PREFIX}${this.#hash.digest('hex')}`, bytes: this.#bytes };
  }
}

/** The digest of what a stream brings, without keeping it. */
export async function digestOfStream(chunks: AsyncIterable<Uint8Array>): Promise<Digest> {
  const running = new RunningDigest();
  for await (const chunk of chunks) running.update(chunk);
  return running.finish().digest;
}

/**
 * Where an artifact is kept, relative to the store: `sha256/ab/abcd…`, sharded by the first byte, since folders of a hundred thousand files are slow.
 * Only what is a digest becomes a path.
 * @throws InvalidIdError
 */
export function artifactKey(digest: Digest): string {
  if (!digestSchema.safeParse(digest).success) throw new InvalidIdError('artifact', digest);
  const hex = digest.slice(PREFIX.length);
  return `sha256/${hex.slice(0, 2)}/${hex}`;
}

/** The digest kept under a key, or nothing when the key is not one of ours. */
export function digestOfKey(key: string): Digest | undefined {
  const found = /^sha256\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/.exec(key);
  return found?.[2] === undefined ? undefined : `${PREFIX}${found[2]}`;
}
