import { resolve } from 'node:path';
import { type Digest, type FileSourceSpec, type PipelineSpec } from '@perennial/contract';
import { PipelineInvalidError } from '@perennial/pipeline';
import { digestOfJson, streamState } from '@perennial/storage';
import { Engine } from './engine.ts';
import { SourceInvalidError } from './errors.ts';
import type { FileDigests } from './file-digests.ts';
import { listObjects, type ObjectStoreSource } from './object-files.ts';
import { findSourceFiles, sourceFolders } from './source-files.ts';
import type { SourceReaders } from './source-readers.ts';

export interface FingerprintOptions {
  spec: PipelineSpec;
  /** What the source's paths are relative to. */
  folder: string;
  sources?: SourceReaders;
  /** Remembers files' digests; one for each process. */
  digests: FileDigests;
}

/**
 * Says what a source holds before it is read: sources of equal fingerprints give equal datasets under the same definition and window. Null where that cannot
 * be known (`postgres`, `predictionLog`, `query`), and where the source cannot be looked at, which building will say better.
 *
 * @throws the storage's errors where the platform's own stores do not answer
 */
export async function sourceFingerprint(options: FingerprintOptions): Promise<Digest | null> {
  try {
    const content = await sourceContent(options);
    if (content === null) return null;
    return digestOfJson(content);
  } catch (error) {
    if (error instanceof SourceInvalidError || error instanceof PipelineInvalidError) return null;
    throw error;
  }
}

async function sourceContent({ spec, folder, sources = {}, digests }: FingerprintOptions): Promise<unknown> {
  const { source } = spec.data;
  switch (source.kind) {
    case 'parquet':
    case 'csv':
    case 'json':
      return fileDigests(source, { spec, folder, digests });
    case 'objectStore':
      return objectNames(source, { spec, readers: sources });
    case 'stream':
      return sources.database === undefined ? null : streamState(sources.database.orm, source.stream);
    case 'postgres':
    case 'predictionLog':
    case 'query':
      return null;
  }
}

/** The files' contents, whatever they are called: names make no difference to the rows. */
async function fileDigests(
  source: FileSourceSpec,
  { spec, folder, digests }: Pick<FingerprintOptions, 'spec' | 'folder' | 'digests'>,
): Promise<Digest[]> {
  const readable = sourceFolders(spec, resolve(folder));
  const engine = await Engine.open({ threads: 1, memoryLimit: '256MB', readable });
  try {
    const files = await findSourceFiles(engine.main, {
      pipeline: spec.name,
      source,
      folder: resolve(folder),
    });
    return (await Promise.all(files.map((file) => digests.of(file)))).sort();
  } finally {
    engine.close();
  }
}

async function objectNames(source: ObjectStoreSource, job: Parameters<typeof listObjects>[1]) {
  const objects = await listObjects(source, job);
  return objects.map(({ key, etag, bytes }) => ({ key, etag, bytes }));
}
