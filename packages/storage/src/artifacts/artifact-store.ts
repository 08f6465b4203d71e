import type { Digest } from '@perennial/contract';

/**
 * Bytes under their content address. A put is atomic: an artifact is there whole or not at all, also after a crash or on a full disk. Putting the
 * same bytes again is harmless. Every read checks the digest.
 */
export interface ArtifactStore {
  /**
   * @throws StorageFullError when there is no room
   */
  put(bytes: Uint8Array): Promise<StoredArtifact>;
  /** Puts a file's content without reading it into memory whole. The file stays where it is. */
  putFile(path: string): Promise<StoredArtifact>;
  /**
   * @throws NotFoundError when there is no such artifact
   * @throws ArtifactCorruptError when the bytes do not fit the digest
   */
  get(digest: Digest): Promise<Uint8Array>;
  /**
   * A path on the local disk that holds the artifact, checked; for readers that need a file (Parquet). The file must not be written to.
   * @throws as `get`
   */
  fetchFile(digest: Digest): Promise<string>;
  has(digest: Digest): Promise<boolean>;
  /** Deletes an artifact; one that is not there is no error. */
  delete(digest: Digest): Promise<void>;
  /** Every digest in the store, in no order. */
  list(): AsyncIterable<Digest>;
}

export interface StoredArtifact {
  digest: Digest;
  bytes: number;
}
