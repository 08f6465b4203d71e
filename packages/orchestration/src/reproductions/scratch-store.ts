import { NotFoundError, type Digest } from '@perennial/contract';
import { FileArtifactStore, type ArtifactStore, type StoredArtifact } from '@perennial/storage';

/**
 * A store in a folder of its own in front of another: what is put stays in the folder, and goes with it; what is not there is read from behind. Nothing is ever
 * put into the store behind or deleted from it.
 */
export class ScratchStore implements ArtifactStore {
  readonly #front: ArtifactStore;
  readonly #behind: Pick<ArtifactStore, 'get' | 'fetchFile' | 'has' | 'list'>;

  private constructor(front: ArtifactStore, behind: ArtifactStore) {
    this.#front = front;
    this.#behind = behind;
  }

  static async open(folder: string, behind: ArtifactStore): Promise<ScratchStore> {
    return new ScratchStore(await FileArtifactStore.open({ folder }), behind);
  }

  put(bytes: Uint8Array): Promise<StoredArtifact> {
    return this.#front.put(bytes);
  }

  putFile(path: string): Promise<StoredArtifact> {
    return this.#front.putFile(path);
  }

  get(digest: Digest): Promise<Uint8Array> {
    return this.#front.get(digest).catch(orElse(() => this.#behind.get(digest)));
  }

  fetchFile(digest: Digest): Promise<string> {
    return this.#front.fetchFile(digest).catch(orElse(() => this.#behind.fetchFile(digest)));
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.#front.has(digest)) || this.#behind.has(digest);
  }

  delete(digest: Digest): Promise<void> {
    return this.#front.delete(digest);
  }

  async *list(): AsyncIterable<Digest> {
    yield* this.#front.list();
    for await (const digest of this.#behind.list()) if (!(await this.#front.has(digest))) yield digest;
  }
}

function orElse<Result>(read: () => Promise<Result>): (error: unknown) => Promise<Result> {
  return (error) => {
    if (error instanceof NotFoundError) return read();
    throw error;
  };
}
