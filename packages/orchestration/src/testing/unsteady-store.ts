import type { Digest } from '@perennial/contract';
import {
  ArtifactStoreUnavailableError,
  type ArtifactStore,
  type FileArtifactStore,
  type StoredArtifact,
} from '@perennial/storage';

/** A store that is away now and then, and lets a test do something in the middle of another's work. */
export class UnsteadyStore implements ArtifactStore {
  /** How many of the next `fetchFile` fail as they do when the network is gone. */
  failures = 0;
  /** Called before each `get`. */
  beforeGet: (digest: Digest) => Promise<void> = async () => undefined;
  readonly #store: FileArtifactStore;

  constructor(store: FileArtifactStore) {
    this.#store = store;
  }

  async fetchFile(digest: Digest): Promise<string> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new ArtifactStoreUnavailableError('fetchFile');
    }
    return this.#store.fetchFile(digest);
  }

  async get(digest: Digest): Promise<Uint8Array> {
    await this.beforeGet(digest);
    return this.#store.get(digest);
  }

  put(bytes: Uint8Array): Promise<StoredArtifact> {
    return this.#store.put(bytes);
  }

  putFile(path: string): Promise<StoredArtifact> {
    return this.#store.putFile(path);
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
}
