import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchInput, Signature } from '@perennial/contract';
import {
  BatchInputInvalidError,
  cutRows,
  examineParquet,
  isSourceObject,
  makeParquet,
  type BatchColumns,
  type FileDigests,
} from '@perennial/data';
import {
  getDatasetVersion,
  type ArtifactStore,
  type BatchPart,
  type Executor,
  type S3Object,
  type S3Objects,
} from '@perennial/storage';
import { findBatchFiles } from './batch-folder.ts';

/** Where batches may read. */
export interface BatchPlaces {
  /** Absolute path. */
  folder: string;
  /** Null where the installation has none. */
  bucket: { objects: S3Objects; name: string } | null;
}

export interface PartsJob {
  batch: string;
  input: BatchInput;
  keys: string[];
  signature: Signature;
  places: BatchPlaces;
  db: Executor;
  artifacts: ArtifactStore;
  digests: FileDigests;
  /** Of this job alone. */
  folder: string;
  signal: AbortSignal;
}

/** Rows of a chunk: a third of a second to two seconds of work for small networks, 5 to 50 MB of a file. */
export const CHUNK_ROWS = 524_288;

/** A Parquet file of the input. */
interface InputFile extends Omit<BatchPart, 'from'> {
  keyTypes: string[];
  /** Rows of each row group. */
  groups: number[];
}

/**
 * Cuts a batch's input into parts. Parquet files below the folder are read where they are; text files, and objects of a bucket, are first made into Parquet files of the columns that are
 * read, in the artifact store: so every worker has the same bytes, and no chunk reads what stands before it.
 *
 * @throws BatchInputInvalidError, NotFoundError, RemovedError
 */
export async function partsOf(job: PartsJob): Promise<BatchPart[]> {
  const files = await filesOf(job);
  requireSameKeys(files, job.keys);
  const filled = files.filter(({ rows }) => rows > 0);
  // One chunk of no rows says what columns the output has.
  return (filled.length > 0 ? filled : files.slice(0, 1)).flatMap(chunksOf);
}

function chunksOf({ keyTypes: _, groups, rows, ...file }: InputFile): BatchPart[] {
  if (rows === 0) return [{ ...file, from: 0, rows }];
  return cutRows(groups, { from: 0, rows }, CHUNK_ROWS).map((range) => ({ ...file, ...range }));
}

async function filesOf(job: PartsJob): Promise<InputFile[]> {
  const { input } = job;
  switch (input.kind) {
    case 'dataset':
      return [await splitFile(job, input)];
    case 'objectStore':
      return objectFiles(job, input);
    case 'files':
      return localFiles(job, input);
  }
}

function columnsOf({ signature, keys }: PartsJob): BatchColumns {
  return { inputs: signature.inputs, keys };
}

async function splitFile(
  job: PartsJob,
  { dataset, split }: Extract<BatchInput, { kind: 'dataset' }>,
): Promise<InputFile> {
  const { manifest } = await getDatasetVersion(job.db, dataset);
  const { digest } = manifest.splits[split];
  const path = await job.artifacts.fetchFile(digest);
  const file = `${split} split of ${dataset}`;
  return { file, digest, place: 'store', ...(await examineParquet({ path, file }, columnsOf(job))) };
}

async function localFiles(
  job: PartsJob,
  { path, format }: Extract<BatchInput, { kind: 'files' }>,
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const found of await findBatchFiles(job.places.folder, path)) {
    job.signal.throwIfAborted();
    if (format !== 'parquet') files.push(await madeFile(job, found, format));
    else {
      const examined = await examineParquet(found, columnsOf(job));
      const digest = await job.digests.of(found);
      files.push({ file: found.file, digest, place: 'folder', ...examined });
    }
  }
  return files;
}

async function objectFiles(
  job: PartsJob,
  { prefix, format }: Extract<BatchInput, { kind: 'objectStore' }>,
): Promise<InputFile[]> {
  const { bucket } = job.places;
  if (bucket === null) throw new BatchInputInvalidError(prefix, 'there is no bucket that batches may read');
  const found: S3Object[] = [];
  for await (const object of bucket.objects.list(bucket.name, prefix))
    if (isSourceObject(object.key, prefix)) found.push(object);
  if (found.length === 0) throw new BatchInputInvalidError(prefix, 'no object has a key that begins so');
  const files: InputFile[] = [];
  for (const object of found) {
    if (object.bytes === 0) throw new BatchInputInvalidError(object.key, 'it is empty');
    const path = await inFolder(job, `object${endingOf(object.key)}`);
    await bucket.objects.download({ bucket: bucket.name, object, file: path, signal: job.signal });
    files.push(await madeFile(job, { path, file: object.key }, format));
    await rm(path);
  }
  return files;
}

/** The engine tells compressed files by their endings. */
function endingOf(key: string): string {
  return /(\.[a-z0-9]{1,10}){1,2}$/i.exec(key)?.[0] ?? '';
}

async function madeFile(
  job: PartsJob,
  source: { path: string; file: string },
  format: 'parquet' | 'csv' | 'ndjson',
): Promise<InputFile> {
  const columns = columnsOf(job);
  const target = await inFolder(job, 'made.parquet');
  // Named in the file, so that its bytes are no other batch's and can go when this one ends.
  const properties = { 'perennial.batch': job.batch, 'perennial.input': source.file };
  await makeParquet({ source, format, columns, target, properties, signal: job.signal });
  const examined = await examineParquet({ path: target, file: source.file }, columns);
  const { digest } = await job.artifacts.putFile(target);
  await rm(target);
  return { file: source.file, digest, place: 'made', ...examined };
}

/** Source and target lie in folders of their own: each may only be read, or written. */
async function inFolder(job: PartsJob, name: string): Promise<string> {
  const folder = join(job.folder, name.split('.')[0] ?? name);
  await mkdir(folder, { recursive: true });
  return join(folder, name);
}

function requireSameKeys(files: readonly InputFile[], keys: readonly string[]): void {
  const [first] = files;
  for (const { file, keyTypes } of files) {
    const index = keyTypes.findIndex((type, i) => type !== first?.keyTypes[i]);
    if (index === -1 || first === undefined) continue;
    const problem = `the column '${keys[index] ?? ''}' is ${keyTypes[index] ?? ''}, but ${first.keyTypes[index] ?? ''} in '${first.file}'`;
    throw new BatchInputInvalidError(file, problem);
  }
}
