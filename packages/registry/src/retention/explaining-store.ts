import { NotFoundError, RemovedError, type Digest } from '@perennial/contract';
import {
  artifactRemovedAt,
  type ArtifactStore,
  type Database,
  type StoredArtifact,
} from '@perennial/storage';

/** A store that says of an artifact which retention has removed that it was, instead of that there is none. Whoever can do without catches either. */
export class ExplainingArtifactStore implements ArtifactStore {
  readonly #store: ArtifactStore;
  readonly #database: Pick<Database, 'orm'>;

  constructor(store: ArtifactStore, database: Pick<Database, 'orm'>) {
    this.#store = store;
    this.#database = database;
  }

  put(bytes: Uint8Array): Promise<StoredArtifact> {
    return this.#store.put(bytes);
  }

  putFile(path: string): Promise<StoredArtifact> {
    return this.#store.putFile(path);
  }

  get(digest: Digest): Promise<Uint8Array> {
    return this.#store.get(digest).catch((error: unknown) => this.#explain(digest, error));
  }

  fetchFile(digest: Digest): Promise<string> {
    return this.#store.fetchFile(digest).catch((error: unknown) => this.#explain(digest, error));
  }

  has(digest: Digest): Promise<boolean> {
    return this.#store.has(digest);
  }

  delete(digest: Digest): Promise<void> {
    return this.#store.delete(digest);
  }

  list(): AsyncIterable<Digest> {
    return this.#store.list();
  }

  /** The store's own error stands while the database is away: serving must not need it. */
  async #explain(digest: Digest, error: unknown): Promise<never> {
    if (!(error instanceof NotFoundError)) throw error;
    const removedAt = await artifactRemovedAt(this.#database.orm, digest).catch(() => undefined);
    throw removedAt === undefined ? error : new RemovedError('artifact', digest, removedAt);
  }
}
