import { describeError } from '@perennial/contract';

/** Whether the server can do its work, part by part. */
export interface ReadinessReport {
  ready: boolean;
  parts: Record<string, boolean>;
  /** Models whose champion is not served, since it is not what was approved and signed; absent where there are none. */
  refused?: { model: string; version: number; problem: string }[];
}

/** Whether one model is answered. */
export interface ModelReadinessReport {
  model: string;
  ready: boolean;
  /** That answers; absent where none does. */
  version?: number;
  /** Why none does. */
  problem?: string;
}

/** The version of a model that answers, loaded where it is not yet; throws where none does. */
export type AskModel = (model: string) => Promise<number>;

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
  #askModel: AskModel | undefined;

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

  /** From now on also tells of what serving refuses, and of single models. */
  watchModels(askRefused: AskRefused, askModel?: AskModel): void {
    this.#askRefused = askRefused;
    this.#askModel = askModel;
  }

  /** Whether requests for a model are answered here: the server is ready, and a champion of it is loaded or can be. */
  async checkModel(model: string): Promise<ModelReadinessReport> {
    if (this.#stopping.signal.aborted) return { model, ready: false, problem: 'The server is stopping.' };
    if (this.#askModel === undefined)
      return { model, ready: false, problem: 'This process answers no predictions.' };
    try {
      return { model, ready: true, version: await this.#askModel(model) };
    } catch (error) {
      return { model, ready: false, problem: describeError(error).message };
    }
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
