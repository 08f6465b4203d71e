import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import type { FileSourceSpec, PipelineSpec } from '@perennial/contract';
import { PipelineInvalidError } from '@perennial/pipeline';
import type { Connection } from './engine.ts';
import { SourceInvalidError } from './errors.ts';
import { sameState, type FileState } from './file-digests.ts';
import { globEscaped, literal } from './sql.ts';

/** One file of a source, as it was when the build began. */
export interface SourceFile extends FileState {
  /** Path relative to the pipeline's folder, with forward slashes. */
  name: string;
}

/** Whose files are looked for, and where. */
export interface FilePlace {
  pipeline: string;
  source: FileSourceSpec;
  /** Absolute path that the source's paths are relative to. */
  folder: string;
}

const GLOB = /[*?[]/;

/**
 * The folders that a source's paths lie in: of a glob, the part before its first wildcard. None for a source that is no local files.
 *
 * @throws PipelineInvalidError when a path is the address of another machine
 */
export function sourceFolders({ name: pipeline, data: { source } }: PipelineSpec, folder: string): string[] {
  if (!('paths' in source)) return [];
  return source.paths.map((path, index) => {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
      const message = 'must be a path on this machine, relative to the pipeline file';
      throw new PipelineInvalidError([{ path: `data.source.paths[${index}]`, message }], {
        pipeline,
      });
    }
    return splitPath(path, folder).base;
  });
}

/** A source path as the folder that is certain and the pattern within it. */
function splitPath(path: string, folder: string): { base: string; pattern: string } {
  const parts = path.split('/');
  const wild = parts.findIndex((part) => GLOB.test(part));
  const certain = wild === -1 ? parts.length - 1 : wild;
  const base = parts.slice(0, certain).join('/') + (path.startsWith('/') ? '/' : '');
  return { base: resolve(folder, base), pattern: parts.slice(certain).join('/') };
}

/**
 * The files of a source in order of name, each once.
 *
 * @throws SourceInvalidError naming a path that has no file, or a file that is empty
 */
export async function findSourceFiles(connection: Connection, place: FilePlace): Promise<SourceFile[]> {
  const found = await Promise.all(
    place.source.paths.map((path, index) => filesAt(connection, place, { path, index })),
  );
  const paths = [...new Set(found.flat())];
  const files = await Promise.all(paths.map((path) => fileAt(path, place)));
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function filesAt(
  connection: Connection,
  place: FilePlace,
  { path, index }: { path: string; index: number },
): Promise<string[]> {
  const { base, pattern } = splitPath(path, place.folder);
  // The machine's own folder may hold characters that a glob gives a meaning; only the author's part is a pattern.
  const glob = `${globEscaped(base).replace(/\/$/, '')}/${pattern}`;
  const rows = await connection.rows<{ file: string }>(`SELECT file FROM glob(${literal(glob)})`);
  if (rows.length === 0) {
    const what = GLOB.test(path) ? `no file matches '${path}'` : `there is no file '${path}'`;
    throw new SourceInvalidError(what, { pipeline: place.pipeline, field: `data.source.paths[${index}]` });
  }
  return rows.map(({ file }) => resolve(file));
}

async function fileAt(path: string, { pipeline, folder }: FilePlace): Promise<SourceFile> {
  const name = relative(folder, path).split(sep).join('/');
  const { size, mtimeNs } = await stat(path, { bigint: true });
  if (size === 0n)
    throw new SourceInvalidError(`the file '${name}' is empty`, { pipeline, field: 'data.source' });
  return { path, name, bytes: Number(size), modified: mtimeNs };
}

/** The name of a file that is no longer what it was, if any. */
export async function changedFile(files: readonly SourceFile[]): Promise<string | undefined> {
  for (const file of files) {
    const now = await stat(file.path, { bigint: true }).catch(() => undefined);
    const state = now && { path: file.path, bytes: Number(now.size), modified: now.mtimeNs };
    if (state === undefined || !sameState(state, file)) return file.name;
  }
  return undefined;
}
