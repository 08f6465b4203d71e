import { startEmbeddedPostgres, type EmbeddedPostgres } from '@perennial/storage';

/** A PostgreSQL that stands for one of an installation's own, and can be restarted under the platform. */
export class RestartablePostgres {
  readonly #folder: string;
  #server: EmbeddedPostgres;

  private constructor(folder: string, server: EmbeddedPostgres) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(folder: string): Promise<RestartablePostgres> {
    return new RestartablePostgres(folder, await startEmbeddedPostgres({ folder }));
  }

  get url(): string {
    return this.#server.url;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.resume();
  }

  /** Starts it again after `stop`, where it was. */
  async resume(): Promise<void> {
    this.#server = await startEmbeddedPostgres({ folder: this.#folder });
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
