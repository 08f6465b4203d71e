import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import type { Digest } from '@perennial/contract';
import { FileDigests } from '@perennial/data';

/** A file as a watch sees it. */
export interface WatchedFile {
  /** Names it within its source: a path, a key. */
  name: string;
  bytes: number;
  /** Changes whenever the content may have: a time of modification, an ETag. */
  version: string;
  /** Reads the content. A file that goes away or changes meanwhile may reject, or give the digest of a mixture. */
  digest: () => Promise<Digest>;
}

/** Where files are watched: a folder, a bucket. */
export interface FileLister {
  /** All that are there now. */
  listFiles: () => Promise<WatchedFile[]>;
}

export interface LocalFilesOptions {
  /** Absolute path that the paths are relative to. */
  folder: string;
  /** Paths, with globs as a source has them. */
  paths: readonly string[];
}

const GLOB = /[*?[]/;

/** Lists files on the local disk. */
export class LocalFiles implements FileLister {
  readonly #options: LocalFilesOptions;
  readonly #digests = new FileDigests();

  constructor(options: LocalFilesOptions) {
    this.#options = options;
  }

  async listFiles(): Promise<WatchedFile[]> {
    const { folder, paths } = this.#options;
    const plain = paths.filter((path) => !GLOB.test(path)).map((path) => resolve(folder, path));
    const patterns = paths.filter((path) => GLOB.test(path));
    const matching = patterns.length === 0 ? [] : await this.#match(patterns);
    const files = await Promise.all([...new Set([...plain, ...matching])].map((path) => this.#file(path)));
    return files.filter((file) => file !== undefined);
  }

  /** As DuckDB, which reads the source, matches them: without braces and extended patterns. */
  async #match(patterns: string[]): Promise<string[]> {
    const syntax = { braceExpansion: false, extglob: false, expandDirectories: false };
    const found = await glob(patterns, { cwd: this.#options.folder, absolute: true, ...syntax });
    return found.map((path) => resolve(path));
  }

  /** A file that went away since it was listed is none. */
  async #file(path: string): Promise<WatchedFile | undefined> {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    if (found === undefined || !found.isFile()) return undefined;
    const bytes = Number(found.size);
    return {
      name: relative(this.#options.folder, path).split(sep).join('/'),
      bytes,
      version: String(found.mtimeNs),
      digest: () => this.#digests.of({ path, bytes, modified: found.mtimeNs }),
    };
  }
}
