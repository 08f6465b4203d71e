/** Whether the server can do its work, part by part. */
export interface ReadinessReport {
  ready: boolean;
  parts: Record<string, boolean>;
  /** Models whose champion is not served, since it is not what was approved and signed; absent where there are none. */
  refused?: { model: string; version: number; problem: string }[];
}

/** What serving refuses. */
export type AskRefused = () => { model: string; version: number; error: Error }[];

/** Longest that the database is waited for: whoever asks for readiness has a deadline of its own, mostly a second or more. */
const DATABASE_MILLISECONDS = 500;

/**
 * Ready means that predictions are answered. The database is reported and not required: serving does without it, and a replica must not be taken
 * out of rotation for what it does not need. Nor for a champion that it refuses: the others would refuse it too, and the models beside it would go
 * with it.
 */
export class Readiness {
  readonly #stopping = new AbortController();
  readonly #askDatabase: () => Promise<unknown>;
  #askRefused: AskRefused = () => [];

  /** @param askDatabase settles when the database answers, rejects when it does not */
  constructor(askDatabase: () => Promise<unknown>) {
    this.#askDatabase = askDatabase;
  }

  /** From now on not ready: the server is stopping and load balancers should look elsewhere. */
  drain(): void {
    this.#stopping.abort();
  }

  /** Fires when the server begins to stop, for what would otherwise keep it from that. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** From now on also tells of what serving refuses. */
  watchModels(askRefused: AskRefused): void {
    this.#askRefused = askRefused;
  }

  async check(): Promise<ReadinessReport> {
    const database = await this.#databaseAnswers();
    const serving = !this.#stopping.signal.aborted;
    const refused = this.#askRefused().map(({ error, ...version }) => ({
      ...version,
      problem: error.message,
    }));
    const report = { ready: serving, parts: { serving, database } };
    return refused.length === 0 ? report : { ...report, refused };
  }

  async #databaseAnswers(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), DATABASE_MILLISECONDS);
    });
    const answer = this.#askDatabase().then(
      () => true,
      () => false,
    );
    return Promise.race([answer, silence]).finally(() => clearTimeout(timer));
  }
}
