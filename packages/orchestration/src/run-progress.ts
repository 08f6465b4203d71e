import { EventEmitter } from 'node:events';
import { formatId, parseId, stepNameSchema, type StepName } from '@perennial/contract';
import type { Database, Listener } from '@perennial/storage';
import { z } from 'zod';

/** How far a step is. Not stored: what a watcher misses is gone, and the run's events tell the outcome. */
export interface RunProgress {
  /** Edge id of the run. */
  run: string;
  step: StepName;
  /** Share of the step that is done, 0 to 1. */
  done: number;
  message: string;
  /** Whether the message is a line that the step's program wrote. */
  log: boolean;
}

const CHANNEL = 'run_progress';

/** Announcements of one run at most so often, in milliseconds; lines of a log and new steps are never held back. */
const SPACING_MILLISECONDS = 200;

/** A notification holds 8,000 bytes at most; a character takes up to four, and JSON may double them. */
const MAX_MESSAGE_LENGTH = 900;

const announcementSchema = z.strictObject({
  run: z.uuid(),
  step: stepNameSchema,
  done: z.number(),
  message: z.string(),
  log: z.boolean(),
});

/**
 * Carries live progress from the worker that has a run to whoever watches it, in this process or another, by the database's notifications. Progress that
 * cannot be announced is dropped: it is worth nothing later.
 */
export class RunProgressHub {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #last = new Map<string, { step: StepName; at: number }>();
  readonly #database: Pick<Database, 'sql'>;
  #listener: Listener | undefined;

  private constructor(database: Pick<Database, 'sql'>) {
    this.#database = database;
  }

  static async open(database: Database): Promise<RunProgressHub> {
    const hub = new RunProgressHub(database);
    hub.#listener = await database.listen(CHANNEL, (payload) => hub.#receive(payload));
    return hub;
  }

  publish({ run, message, ...rest }: RunProgress): void {
    if (!rest.log && this.#isTooSoon(run, rest.step)) return;
    const payload = { run: parseId('run', run), message: message.slice(0, MAX_MESSAGE_LENGTH), ...rest };
    this.#database.sql.notify(CHANNEL, JSON.stringify(payload)).catch(() => undefined);
  }

  /** @returns what ends the subscription */
  subscribe(run: string, listener: (progress: RunProgress) => void): () => void {
    this.#emitter.on(run, listener);
    return () => this.#emitter.off(run, listener);
  }

  /** To be called when a run is no longer executed here. */
  forget(run: string): void {
    this.#last.delete(run);
  }

  async close(): Promise<void> {
    await this.#listener?.stop();
  }

  #isTooSoon(run: string, step: StepName): boolean {
    const now = performance.now();
    const last = this.#last.get(run);
    if (last?.step === step && now - last.at < SPACING_MILLISECONDS) return true;
    this.#last.set(run, { step, at: now });
    return false;
  }

  #receive(payload: string): void {
    const { run, ...rest } = announcementSchema.parse(JSON.parse(payload));
    const id = formatId('run', run);
    this.#emitter.emit(id, { run: id, ...rest } satisfies RunProgress);
  }
}
