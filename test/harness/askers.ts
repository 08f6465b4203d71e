import type { Client } from '@perennial/client';
import { features, type Visit } from './visits.ts';

/** Rows of a request: 1 to 5. */
const MOST_ROWS = 5;

/** Callers that ask for predictions without end, each waiting for its answer before it asks again, under a new key for every row. */
export class Askers {
  /** Ids that were answered, by the key they were asked for. */
  readonly acknowledged = new Map<string, string>();
  readonly failures: unknown[] = [];
  readonly #prefix: string;
  readonly #model: string;
  readonly #visits: readonly Visit[];
  readonly #watchers = new Set<() => void>();
  #asked = 0;
  #stopped = false;
  #asking: Promise<unknown> = Promise.resolve();

  /** @param prefix what the keys begin with */
  constructor(model: string, visits: readonly Visit[], prefix: string) {
    this.#prefix = prefix;
    this.#model = model;
    this.#visits = visits;
  }

  /** So many begin to ask; each ends at its first failure. */
  start(client: Client, callers: number): void {
    this.#stopped = false;
    this.#asking = Promise.all(Array.from({ length: callers }, () => this.#askWithoutEnd(client)));
  }

  /** Resolves once so many more rows are acknowledged, or nobody asks any more. */
  async moreAcknowledged(rows: number): Promise<void> {
    const enough = this.acknowledged.size + rows;
    const reached = new Promise<void>((resolve) => {
      const watcher = () => {
        if (this.acknowledged.size < enough) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
    await Promise.race([reached, this.#asking]);
  }

  /** Resolves once every request has its answer, or has failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
  }

  async #askWithoutEnd(client: Client): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#ask(client);
      } catch (error) {
        this.failures.push(error);
        return;
      }
    }
  }

  async #ask(client: Client): Promise<void> {
    const rows = 1 + (this.#asked % MOST_ROWS);
    const keys = Array.from({ length: rows }, () => `${this.#prefix}-${this.#asked++}`);
    const instances = keys.map((_, row) => features(this.#visits[row % this.#visits.length]!));
    const { predictions } = await client.predict({
      params: { model: this.#model },
      body: { instances, keys },
    });
    predictions.forEach(({ id }, row) => this.acknowledged.set(keys[row] ?? '', id));
    for (const watcher of [...this.#watchers]) watcher();
  }
}
