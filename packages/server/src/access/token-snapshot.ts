import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameSchema, roleSchema } from '@perennial/contract';
import type { LiveToken } from '@perennial/storage';
import { z } from 'zod';

const snapshotSchema = z.strictObject({
  format: z.literal(1),
  tokens: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      hash: z.string(),
      roles: z.array(roleSchema),
      models: z.array(nameSchema).nullable(),
      requestsPerMinute: z.int().nullable(),
      expiresAt: z.iso.datetime().nullable(),
    }),
  ),
});

/** The last known tokens on the local disk, by their hashes, for the process's own user only. */
export class TokenSnapshot {
  readonly #path: string;
  #written = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is none, or it cannot be understood. */
  async load(): Promise<LiveToken[] | undefined> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const { data } = snapshotSchema.safeParse(parseJson(text));
    return data?.tokens.map(({ expiresAt, ...token }) => ({
      ...token,
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    }));
  }

  /** Writes the tokens, unless they are what was written last. */
  async save(tokens: readonly LiveToken[]): Promise<void> {
    const text = JSON.stringify({ format: 1, tokens });
    if (text === this.#written) return;
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await replacePrivately(this.#path, text);
    this.#written = text;
  }
}

/** A reader, also after a crash, sees the old content or the new, and never one that others may read. */
async function replacePrivately(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
