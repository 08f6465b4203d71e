import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemErrorCode } from '../files/error-code.ts';
import { replaceFile } from '../files/replace-file.ts';
import { championSchema, type Champion } from './champion.ts';

const snapshotSchema = z.strictObject({ format: z.literal(1), champions: z.array(championSchema) });

/** The last known champions on the local disk, so that a server can start and answer while the database is away. */
export class ChampionSnapshot {
  readonly #path: string;
  #written = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is none, or it cannot be understood. */
  async load(): Promise<Champion[] | undefined> {
    try {
      const text = await readFile(this.#path, 'utf8');
      return snapshotSchema.safeParse(JSON.parse(text)).data?.champions;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Writes the champions, unless they are what was written last. */
  async save(champions: readonly Champion[]): Promise<void> {
    const text = JSON.stringify({ format: 1, champions });
    if (text === this.#written) return;
    await replaceFile(this.#path, text);
    this.#written = text;
  }
}
