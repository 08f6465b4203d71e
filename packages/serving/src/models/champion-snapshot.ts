import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../files/error-code.ts';
import { replaceFile } from '../files/replace-file.ts';
import { systemDelay } from '../waiting/delay.ts';
import { nextTurn } from '../waiting/turns.ts';
import { championSchema, type Champion } from './champion.ts';

const snapshotSchema = z.strictObject({ format: z.literal(1), champions: z.array(championSchema) });

export interface ChampionSnapshotOptions {
  path: string;
  /** The champions as they are now. */
  list: () => readonly Champion[];
  onProblem: (error: unknown) => void;
}

/** Changes that come within this time are written together: with 10,000 models the file has 2.5 MB. */
const GATHER_MILLISECONDS = 500;
/** Champions that are put into words in one turn of the event loop. */
const PIECE = 500;

/** The last known champions on the local disk, so that a server can start and answer while the database is away. */
export class ChampionSnapshot {
  readonly #options: ChampionSnapshotOptions;
  readonly #closing = new AbortController();
  #written = '';
  #failed = false;
  #soon: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ChampionSnapshotOptions) {
    this.#options = options;
  }

  /** Whether the last write did not succeed, so that it is to be tried again although nothing has changed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Undefined when there is none, or it cannot be understood. */
  async load(): Promise<Champion[] | undefined> {
    try {
      const text = await readFile(this.#options.path, 'utf8');
      return snapshotSchema.safeParse(JSON.parse(text)).data?.champions;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Writes the champions, unless they are what was written last; a failure is reported. */
  save(): Promise<void> {
    this.#last = this.#last
      .then(() => this.#write())
      .catch((error: unknown) => {
        this.#failed = true;
        this.#options.onProblem(error);
      });
    return this.#last;
  }

  /** Writes them a little later, with whatever changes until then. */
  saveSoon(): void {
    this.#soon ??= systemDelay(GATHER_MILLISECONDS, this.#closing.signal).then(() => {
      this.#soon = undefined;
      return this.save();
    });
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#soon;
    await this.#last;
  }

  async #write(): Promise<void> {
    const text = await inWords(this.#options.list());
    if (text === this.#written) return;
    await mkdir(dirname(this.#options.path), { recursive: true, mode: 0o700 });
    await replaceFile(this.#options.path, text);
    this.#written = text;
    this.#failed = false;
  }
}

async function inWords(champions: readonly Champion[]): Promise<string> {
  const pieces: string[] = [];
  for (let start = 0; start < champions.length; start += PIECE) {
    if (start > 0) await nextTurn();
    pieces.push(JSON.stringify(champions.slice(start, start + PIECE)).slice(1, -1));
  }
  return `{"format":1,"champions":[${pieces.join(',')}]}`;
}
