import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import {
  canonicalJson,
  type DataCard,
  type DatasetManifest,
  type Digest,
  type PipelineSpec,
  type Split,
  type SplitName,
} from '@perennial/contract';
import type { PipelineFunctions } from '@perennial/pipeline';
import type { ArtifactStore } from '@perennial/storage';
import { orderCleanRows, splitRows } from './clean.ts';
import { Engine, type Connection } from './engine.ts';
import { SourceChangedError } from './errors.ts';
import { FileDigests } from './file-digests.ts';
import { fitFeatures, type Fit } from './fit.ts';
import { fitLabel, settleClasses, type LabelClasses } from './fit-label.ts';
import { translatingSourceErrors } from './open-files.ts';
import { openSource, type OpenSource } from './open-source.ts';
import { planDataset, type DatasetPlan } from './plan.ts';
import { maskReasons, quarantineRows } from './quarantine.ts';
import { checkRowCounts, countRows, type RowCounts } from './row-counts.ts';
import { changedFile, sourceFolders } from './source-files.ts';
import type { SourceReaders } from './source-readers.ts';
import { stageRows } from './staging.ts';
import { windowBounds, type WindowBounds } from './window.ts';
import { writeSplit } from './write-split.ts';

export interface BuildOptions {
  spec: PipelineSpec;
  /** What the source's paths are relative to: the pipeline file's folder. */
  folder: string;
  /** The instant the build looks at the world from; no row of its day (UTC) or later is read. See {@link windowBounds}. */
  asOf: Date;
  artifacts: ArtifactStore;
  /** Where temporary files go; left as it was found. Made when it is not there. */
  workFolder: string;
  /**
   * Threads of the data engine.
   * @default the machine's processors
   */
  threads?: number;
  /**
   * What the data engine may hold in memory before it spills to the work folder.
   * @default '2GB'
   */
  memoryLimit?: string;
  /** What sources that are no files are read through. */
  sources?: SourceReaders;
  /** The pipeline's functions; a source of the kind `query` is one. */
  functions?: Pick<PipelineFunctions, 'query'>;
  /** Remembers source files' digests from build to build. */
  digests?: FileDigests;
  signal?: AbortSignal;
  onProgress?: (progress: BuildProgress) => void;
}

export interface BuildProgress {
  phase: 'opening' | 'reading' | 'ordering' | 'writing' | 'done';
  /** Share of the whole build that is done, 0 to 1. */
  done: number;
}

export interface BuiltDataset {
  /** Address of the manifest, which is an artifact too. */
  digest: Digest;
  manifest: DatasetManifest;
  card: DataCard;
}

/**
 * Builds a dataset version: reads the source's window once, sends broken rows to quarantine, fits features and label on the training rows, and
 * puts splits and manifest into the artifact store. The same rows under the same definition give the same digest, on any machine.
 *
 * @throws SourceInvalidError, DataInvalidError, PipelineInvalidError naming the field
 * @throws ConnectionUnknownError, ConnectionUnavailableError, QueryFunctionError, SourceChangedError; the storage's errors
 * @throws the signal's reason when it is aborted
 */
export async function buildDataset(options: BuildOptions): Promise<BuiltDataset> {
  await mkdir(options.workFolder, { recursive: true });
  const work = await realpath(await mkdtemp(join(options.workFolder, 'dataset-')));
  try {
    return await buildIn(work, { ...options, folder: resolve(options.folder) });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function buildIn(work: string, options: BuildOptions): Promise<BuiltDataset> {
  const { spec, folder, threads, memoryLimit, signal } = options;
  signal?.throwIfAborted();
  options.onProgress?.({ phase: 'opening', done: 0 });
  const engine = await Engine.open({
    threads: threads ?? availableParallelism(),
    memoryLimit: memoryLimit ?? '2GB',
    folder: work,
    readable: sourceFolders(spec, folder),
  });
  const interrupt = () => engine.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    return await build(engine, { ...options, work });
  } catch (error) {
    // What fails after an abort fails because of it.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', interrupt);
    engine.close();
  }
}

type BuildJob = BuildOptions & { work: string };

async function build(engine: Engine, job: BuildJob): Promise<BuiltDataset> {
  const { spec, onProgress } = job;
  const bounds = windowBounds(spec.data.window, job.asOf);
  const source = await openSource(engine.main, {
    ...job,
    bounds,
    readers: job.sources ?? {},
    query: job.functions?.query,
  });
  const plan = await planDataset(engine.main, spec, source.columns);
  onProgress?.({ phase: 'reading', done: 0.1 });
  const files = await readSource(engine.main, plan, {
    source,
    bounds,
    // Fetched files lie elsewhere at each build, and would be remembered for nothing.
    digests: (spec.data.source.kind === 'objectStore' ? undefined : job.digests) ?? new FileDigests(),
  });
  await checkRowCounts(engine.main, plan);
  onProgress?.({ phase: 'ordering', done: 0.4 });
  job.signal?.throwIfAborted();
  const classes = await settleClasses(engine.main, plan, bounds);
  await orderCleanRows(engine.main, plan);
  const rows = await countRows(engine.main, plan, { bounds, source });
  onProgress?.({ phase: 'writing', done: 0.6 });
  job.signal?.throwIfAborted();
  const written = await writeAll(engine, plan, { ...job, bounds, rows, classes });
  const manifest = manifestOf(spec, written);
  const { digest } = await job.artifacts.put(Buffer.from(canonicalJson(manifest)));
  onProgress?.({ phase: 'done', done: 1 });
  return { digest, manifest, card: cardOf(job, { digest, files, written }) };
}

/** Stages the window's rows and digests the files, and makes sure that both saw the same files. */
async function readSource(
  connection: Connection,
  plan: DatasetPlan,
  { source, bounds, digests }: { source: OpenSource; bounds: WindowBounds; digests: FileDigests },
): Promise<DataCard['files']> {
  const { files, relation } = source;
  const [found] = await Promise.all([
    Promise.all(files.map((file) => digests.of(file))),
    translatingSourceErrors(plan.spec.name, files, () => stageRows(connection, plan, { relation, bounds })),
  ]);
  const changed = await changedFile(files);
  if (changed !== undefined) throw new SourceChangedError(plan.spec.name, changed);
  return files.flatMap(({ name, bytes }, i) => {
    const digest = found[i];
    return digest === undefined ? [] : [{ name, bytes, digest }];
  });
}

type WriteJob = BuildJob & { bounds: WindowBounds; rows: RowCounts; classes: LabelClasses | undefined };

interface Written extends Fit, Awaited<ReturnType<typeof fitLabel>> {
  splits: Record<SplitName, Split>;
  quarantine: DataCard['quarantine'];
}

/**
 * Writes the splits, and fits meanwhile. With one thread to the engine each query runs on its own caller's, so that the two columns of work
 * below keep two cores busy while each file is still written in one go.
 */
async function writeAll(engine: Engine, plan: DatasetPlan, job: WriteJob): Promise<Written> {
  await engine.main.run('SET threads = 1');
  const beside = await engine.connect();
  const split = (connection: Connection, name: SplitName) =>
    writeSplit(connection, plan, { ...job, split: name, rows: job.rows[name], folder: job.work });
  const [first, second] = await Promise.allSettled([
    split(engine.main, 'train'),
    fitAndWriteRest(beside, plan, { ...job, write: (name) => split(beside, name) }),
  ]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  const { validation, test, ...fitted } = second.value;
  // On the connection that read the source: the lines it rejected are known to no other.
  const quarantine = await quarantineOf(engine.main, plan, job);
  return { ...fitted, splits: { train: first.value, validation, test }, quarantine };
}

async function fitAndWriteRest(
  connection: Connection,
  plan: DatasetPlan,
  job: WriteJob & { write: (split: SplitName) => Promise<Split> },
) {
  const { bounds, rows, classes } = job;
  const label = await fitLabel(connection, plan, { bounds, classes: classes?.classes ?? [] });
  const fit = await fitFeatures(connection, plan, { from: splitRows(bounds, 'train'), rows: rows.train });
  const validation = await job.write('validation');
  const test = await job.write('test');
  return { ...label, ...fit, validation, test };
}

async function quarantineOf(
  connection: Connection,
  plan: DatasetPlan,
  { classes, work, artifacts }: WriteJob,
): Promise<DataCard['quarantine']> {
  const reasons = maskReasons(plan, classes?.unseen);
  const { rows, reasons: counted, file } = await quarantineRows(connection, plan, { reasons, folder: work });
  if (file === undefined) return { rows, reasons: counted };
  return { rows, reasons: counted, digest: (await artifacts.putFile(file)).digest };
}

function manifestOf(spec: PipelineSpec, { splits, encoder, label }: Written): DatasetManifest {
  return { format: 1, pipeline: spec.name, splits, encoder, label, slices: spec.validate.slices.columns };
}

function cardOf(
  { spec, asOf }: BuildJob,
  { digest, files, written }: { digest: Digest; files: DataCard['files']; written: Written },
): DataCard {
  return {
    pipeline: spec.name,
    dataset: digest,
    asOf: asOf.toISOString(),
    window: spec.data.window,
    source: spec.data.source,
    files,
    splits: written.splits,
    columns: written.columns,
    labels: written.summaries,
    expectations: spec.data.expectations,
    quarantine: written.quarantine,
  };
}
