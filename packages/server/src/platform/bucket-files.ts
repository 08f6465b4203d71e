import { isSourceObject } from '@perennial/data';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import type { FileLister, WatchedFile } from '@perennial/orchestration';
import type { S3Objects } from '@perennial/storage';

interface BucketPlace {
  bucket: string;
  prefix: string;
}

/** Lists the objects of a bucket whose keys begin with a prefix, for a watch. */
export class BucketFiles implements FileLister {
  readonly #objects: S3Objects;
  readonly #place: BucketPlace;

  constructor(objects: S3Objects, place: BucketPlace) {
    this.#objects = objects;
    this.#place = place;
  }

  async listFiles(): Promise<WatchedFile[]> {
    const { bucket, prefix } = this.#place;
    const files: WatchedFile[] = [];
    for await (const object of this.#objects.list(bucket, prefix)) {
      const { key, bytes, etag } = object;
      if (!isSourceObject(key, prefix)) continue;
      files.push({ name: key, bytes, version: etag, digest: () => this.#objects.digest({ bucket, object }) });
    }
    return files;
  }
}

/** The lister of a pipeline whose source is a bucket; undefined for any other, and where the platform has no store. */
export function bucketLister(
  objects: S3Objects | undefined,
): (pipeline: LoadedPipeline) => FileLister | undefined {
  return ({ spec: { data } }) => {
    if (data.source.kind !== 'objectStore' || objects === undefined) return undefined;
    return new BucketFiles(objects, data.source);
  };
}
