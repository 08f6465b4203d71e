import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../files/error-code.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { Position } from './position.ts';

const positionSchema = z.strictObject({ segment: z.int().min(0), offset: z.int().min(0) });

/**
 * How far the journal has been shipped, kept beside it. It is written after the database has committed, so it never runs ahead; it is not
 * synced, since an older cursor only means that records are offered again, which their primary key makes harmless.
 */
export class CursorFile {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'shipped.json');
  }

  /** Undefined when nothing was shipped yet, or the file is damaged: then everything the journal holds is offered again. */
  async load(): Promise<Position | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    return parsePosition(text);
  }

  async save({ segment, offset }: Position): Promise<void> {
    await replaceFile(this.#path, JSON.stringify({ segment, offset }), { sync: false });
  }
}

function parsePosition(text: string): Position | undefined {
  try {
    return positionSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
