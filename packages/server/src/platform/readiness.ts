/** Whether the server can do its work, part by part. */
export interface ReadinessReport {
  ready: boolean;
  parts: Record<string, boolean>;
}

/**
 * Ready means that predictions are answered. The database is reported and not required: serving does without it, and a replica must not be taken
 * out of rotation for what it does not need.
 */
export class Readiness {
  #draining = false;
  readonly #databaseAnswers: () => Promise<boolean>;
  readonly #servingReady: () => boolean;

  constructor(parts: { databaseAnswers: () => Promise<boolean>; servingReady: () => boolean }) {
    this.#databaseAnswers = parts.databaseAnswers;
    this.#servingReady = parts.servingReady;
  }

  /** From now on not ready: the server is stopping and load balancers should look elsewhere. */
  drain(): void {
    this.#draining = true;
  }

  async check(): Promise<ReadinessReport> {
    const serving = this.#servingReady() && !this.#draining;
    return { ready: serving, parts: { serving, database: await this.#databaseAnswers() } };
  }
}
