import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { InvalidRequestError } from '@perennial/contract';
import { BatchInputInvalidError, type FileState } from '@perennial/data';
import { glob } from 'tinyglobby';

/** A file that a batch reads. */
export interface BatchFile extends FileState {
  /** Path relative to the folder, with forward slashes. */
  file: string;
}

const OUTSIDE = 'it is not below the folder that batches may read';

/**
 * Makes sure that a path cannot mean a place outside the folder by what is written in it.
 * @throws InvalidRequestError
 */
export function checkBatchPath(path: string): void {
  const segments = path.split('/');
  const refused =
    path.startsWith('/') ||
    /[\\\0]|^[a-z][a-z0-9+.-]*:/i.test(path) ||
    segments.some((segment) => segment === '..' || segment === '.');
  if (!refused) return;
  const message = 'must be a path relative to the folder that batches may read, without . and .. in it';
  throw new InvalidRequestError('The input of the batch is not valid.', [{ path: 'input.path', message }]);
}

/**
 * The files of a path with wildcards in order of name. Links are followed only to where batches may read.
 * @throws BatchInputInvalidError when there are none, one is empty, or one lies elsewhere
 */
export async function findBatchFiles(folder: string, path: string): Promise<BatchFile[]> {
  checkBatchPath(path);
  const names = await namesOf(folder, path);
  if (names.length === 0) throw new BatchInputInvalidError(path, 'there is no such file');
  return Promise.all(names.sort().map((name) => batchFile(folder, name)));
}

/** A file that is called so wins over what its name would match. */
async function namesOf(folder: string, path: string): Promise<string[]> {
  const found = await stat(join(folder, path)).catch(() => undefined);
  if (found?.isFile() === true) return [path];
  return glob(path, { cwd: folder, onlyFiles: true, expandDirectories: false, followSymbolicLinks: false });
}

/**
 * A file below the folder as it is now, links resolved.
 * @throws BatchInputInvalidError
 */
export async function batchFile(folder: string, file: string): Promise<BatchFile> {
  const root = await realpath(folder);
  const path = await realpath(join(root, file)).catch(() => undefined);
  if (path === undefined) throw new BatchInputInvalidError(file, 'there is no such file');
  if (relative(root, path).split(sep)[0] === '..') throw new BatchInputInvalidError(file, OUTSIDE);
  const found = await stat(path, { bigint: true });
  if (!found.isFile()) throw new BatchInputInvalidError(file, 'it is no file');
  if (found.size === 0n) throw new BatchInputInvalidError(file, 'it is empty');
  return { file, path, bytes: Number(found.size), modified: found.mtimeNs };
}
