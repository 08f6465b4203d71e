import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSourceSpec, SourceSpec } from '@perennial/contract';
import { S3BucketUnusableError, type S3Object, type S3Objects } from '@perennial/storage';
import { SourceInvalidError } from './errors.ts';
import type { SourceJob } from './open-source.ts';
import type { SourceFile } from './source-files.ts';

export type ObjectStoreSource = Extract<SourceSpec, { kind: 'objectStore' }>;

const AT_A_TIME = 4;

/**
 * The objects of a source in order of key.
 *
 * @throws SourceInvalidError when there are none, one is empty, or the bucket cannot be used
 */
export async function listObjects(
  { bucket, prefix }: ObjectStoreSource,
  { spec, readers }: Pick<SourceJob, 'spec' | 'readers'>,
): Promise<S3Object[]> {
  const place = { pipeline: spec.name, field: 'data.source' };
  const found: S3Object[] = [];
  try {
    for await (const object of storeOf(readers.objects, spec.name).list(bucket, prefix))
      if (isSourceObject(object.key, prefix)) found.push(object);
  } catch (error) {
    if (!(error instanceof S3BucketUnusableError)) throw error;
    throw new SourceInvalidError(error.problem, { ...place, field: 'data.source.bucket' }, { cause: error });
  }
  if (found.length === 0) {
    throw new SourceInvalidError(
      `no object of the bucket '${bucket}' has a key that begins with '${prefix}'`,
      place,
    );
  }
  const empty = found.find(({ bytes }) => bytes === 0);
  if (empty !== undefined) throw new SourceInvalidError(`the object '${empty.key}' is empty`, place);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * Whether an object with a key under a source's prefix is one of its files: not the markers of folders, nor what writers keep beside their data (`_SUCCESS`,
 * `_temporary/…`, `.part`).
 */
export function isSourceObject(key: string, prefix: string): boolean {
  const rest = key.slice(prefix.length);
  return !rest.endsWith('/') && !rest.split('/').some((name) => /^[_.]/.test(name));
}

function storeOf(objects: S3Objects | undefined, pipeline: string): S3Objects {
  if (objects !== undefined) return objects;
  const problem = 'the platform has no S3-compatible store';
  throw new SourceInvalidError(problem, { pipeline, field: 'data.source' });
}

/**
 * Fetches a source's objects into the work folder, whence they are read as files called by their keys.
 *
 * @throws SourceInvalidError as {@link listObjects}; the store's errors
 */
export async function fetchObjects(
  source: ObjectStoreSource,
  job: SourceJob,
): Promise<{ source: FileSourceSpec; files: SourceFile[] }> {
  const objects = await listObjects(source, job);
  const folder = join(job.work, 'objects');
  await mkdir(folder);
  const files: SourceFile[] = [];
  for (let start = 0; start < objects.length; start += AT_A_TIME) {
    const batch = objects.slice(start, start + AT_A_TIME).map(async (object, index) => {
      const path = join(folder, `${start + index}${endingOf(object.key)}`);
      await storeOf(job.readers.objects, job.spec.name).download({
        bucket: source.bucket,
        object,
        file: path,
        signal: job.signal,
      });
      files[start + index] = await fetchedFile(path, object);
    });
    // All of them, so that none is still writing when the folder goes.
    const failed = (await Promise.allSettled(batch)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  return { source: asFiles(source, files), files };
}

async function fetchedFile(path: string, { key, bytes }: S3Object): Promise<SourceFile> {
  const { mtimeNs } = await stat(path, { bigint: true });
  return { path, name: key, bytes, modified: mtimeNs };
}

/** DuckDB tells compressed files by their endings. */
function endingOf(key: string): string {
  return /(\.[a-z0-9]{1,10}){1,2}$/i.exec(key)?.[0] ?? '';
}

function asFiles({ format }: ObjectStoreSource, files: readonly SourceFile[]): FileSourceSpec {
  const paths = files.map(({ path }) => path);
  switch (format) {
    case 'parquet':
      return { kind: 'parquet', paths };
    case 'csv':
      return { kind: 'csv', paths, header: true };
    case 'json':
      return { kind: 'json', paths };
  }
}
