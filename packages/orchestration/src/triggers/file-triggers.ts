import { durationMilliseconds } from '@perennial/contract';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import {
  beginWatch,
  isWatched,
  lockPipeline,
  takeFiles,
  transaction,
  type FoundFile,
} from '@perennial/storage';
import { LocalFiles, type FileLister, type WatchedFile } from './file-lister.ts';
import { SettledFiles, isSame } from './settled-files.ts';
import type { TriggerEngine, TriggerEngineDependencies } from './trigger-engine.ts';

export interface FileTriggersDependencies extends TriggerEngineDependencies {
  engine: TriggerEngine;
  /**
   * Lists the files of sources that are not on the local disk; undefined for a source that has none.
   * @default none
   */
  listerOf?: (pipeline: LoadedPipeline) => FileLister | undefined;
}

interface Watch {
  pipeline: string;
  lister: FileLister;
  settled: SettledFiles;
  begun: boolean;
}

/** Files that a trigger's record names; a thousand files at once are told by their number. */
const MOST_NAMED = 100;

/**
 * Raises a trigger when files have come. A file is known by its content, so a renamed or copied one is none that came; what is there when a pipeline is
 * loaded for the first time counts as taken.
 */
export class FileTriggers {
  readonly #dependencies: FileTriggersDependencies;
  #watches: Watch[] | undefined;

  constructor(dependencies: FileTriggersDependencies) {
    this.#dependencies = dependencies;
  }

  /** Looks once, at every pipeline that wants it; one that fails does not keep the others from being looked at. */
  async tick(): Promise<void> {
    this.#watches ??= this.#createWatches();
    const looks = await Promise.allSettled(this.#watches.map((watch) => this.#look(watch)));
    const failures = looks.filter((look) => look.status === 'rejected').map((look) => look.reason as unknown);
    if (failures.length > 0) throw new AggregateError(failures, 'Some files could not be looked at.');
  }

  #createWatches(): Watch[] {
    const { catalog } = this.#dependencies;
    return catalog.names().flatMap((pipeline): Watch[] => {
      const loaded = catalog.get(pipeline);
      const { files } = loaded.spec.triggers;
      const lister = this.#listerOf(loaded);
      if (files === undefined || lister === undefined) return [];
      const settled = new SettledFiles(durationMilliseconds(files.settle));
      return [{ pipeline, lister, settled, begun: false }];
    });
  }

  #listerOf(loaded: LoadedPipeline): FileLister | undefined {
    const { triggers, data } = loaded.spec;
    const paths = triggers.files?.paths ?? ('paths' in data.source ? data.source.paths : undefined);
    if (paths !== undefined) return new LocalFiles({ folder: loaded.folder, paths });
    return this.#dependencies.listerOf?.(loaded);
  }

  async #look(watch: Watch): Promise<void> {
    const { database, clock } = this.#dependencies;
    const files = await watch.lister.listFiles();
    const settled = watch.settled.settled(files, clock.now());
    if (!watch.begun) {
      if (!(await isWatched(database.orm, watch.pipeline))) await this.#begin(watch, files);
      watch.begun = true;
      return;
    }
    if (settled.length > 0) await this.#take(watch, settled);
  }

  async #begin({ pipeline, lister }: Watch, files: WatchedFile[]): Promise<void> {
    const { database, clock } = this.#dependencies;
    const found = await digested(lister, files);
    await transaction(database, async (tx) => {
      await lockPipeline(tx, pipeline);
      // What comes while another scheduler begins the watch too is new.
      if (await isWatched(tx, pipeline)) return;
      await beginWatch(tx, pipeline, { files: found.map(asFound), at: clock.now() });
    });
  }

  async #take({ pipeline, lister, settled }: Watch, files: WatchedFile[]): Promise<void> {
    const { database, clock, engine } = this.#dependencies;
    const found = await digested(lister, files);
    await transaction(database, async (tx) => {
      const fresh = await takeFiles(tx, pipeline, { files: found.map(asFound), at: clock.now() });
      if (fresh.length === 0) return;
      const cause = { files: fresh.slice(0, MOST_NAMED) };
      await engine.fireIn(tx, { pipeline, kind: 'file', by: describe(fresh), cause });
    });
    settled.markHandled(found.map(({ file }) => file));
  }
}

interface DigestedFile {
  file: WatchedFile;
  digest: string;
}

/** The files with their digests, but for those that changed or went away while they were read. */
async function digested(lister: FileLister, files: WatchedFile[]): Promise<DigestedFile[]> {
  const read: DigestedFile[] = [];
  for (const file of files) {
    const digest = await file.digest().catch(() => undefined);
    if (digest !== undefined) read.push({ file, digest });
  }
  const now = new Map((await lister.listFiles()).map((file) => [file.name, file]));
  return read.filter(({ file }) => {
    const still = now.get(file.name);
    return still !== undefined && isSame(still, file);
  });
}

function asFound({ file, digest }: DigestedFile): FoundFile {
  return { name: file.name, bytes: file.bytes, digest };
}

function describe(files: FoundFile[]): string {
  return files.length === 1 ? 'a new file' : `${files.length} new files`;
}
