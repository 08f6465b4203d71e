import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHAMPION, type Digest, type ReleasePolicy, type RetentionPolicy } from '@perennial/contract';
import {
  FileArtifactStore,
  findAlias,
  getDatasetVersion,
  getModelVersion,
  saveDatasetVersion,
  type StoredArtifact,
} from '@perennial/storage';
import { ExplainingArtifactStore } from '../retention/explaining-store.ts';
import { RetentionDesk } from '../retention/retention-desk.ts';
import { ReleaseBench } from './release-bench.ts';
import { sampleDataset } from './sample-dataset.ts';

/** Who applies retention in tests. */
export const KEEPER = { by: 'token:keeper', origin: '192.0.2.7 req_test' };

const FOR_EVER = { maxAge: null, keepLast: null };

/** Versions with files and datasets, and what retention does to them. */
export class RetentionBench {
  readonly releases: ReleaseBench;
  /** What the platform reads through. */
  readonly store: ExplainingArtifactStore;
  readonly retention: RetentionDesk;
  readonly #folder: string;
  #made = 0;

  private constructor(
    releases: ReleaseBench,
    { folder, store }: { folder: string; store: FileArtifactStore },
  ) {
    this.releases = releases;
    this.#folder = folder;
    this.store = new ExplainingArtifactStore(store, releases.database);
    const { database, clock } = releases;
    this.retention = new RetentionDesk({ database, clock, artifacts: this.store });
  }

  static async open(): Promise<RetentionBench> {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-retention-'));
    const store = await FileArtifactStore.open({ folder });
    return new RetentionBench(await ReleaseBench.open(), { folder, store });
  }

  get db() {
    return this.releases.db;
  }

  days(count: number): void {
    this.releases.clock.advance(count * 86_400_000);
  }

  file(text: string): Promise<StoredArtifact> {
    return this.store.put(Buffer.from(text));
  }

  /** A dataset version of its own; its test split is the one before's training split where so asked. */
  async dataset({ sharing }: { sharing?: Digest } = {}): Promise<Digest> {
    const name = `dataset ${++this.#made}`;
    const { manifest, card } = sampleDataset();
    const put = async (text: string) => ({
      ...manifest.splits.test,
      ...(await this.file(`${name} ${text}`)),
    });
    const splits = {
      train: await put('train'),
      validation: await put('validation'),
      test: await put('test'),
    };
    if (sharing !== undefined)
      splits.test = (await getDatasetVersion(this.db, sharing)).manifest.splits.train;
    const { digest } = await this.file(name);
    await this.store.delete(digest);
    const at = this.releases.clock.now();
    await saveDatasetVersion(this.db, {
      digest,
      asOf: at,
      createdAt: at,
      manifest: { ...manifest, pipeline: this.releases.model, splits },
      card: { ...card, quarantine: { rows: 0, reasons: [] } },
    });
    return digest;
  }

  /** Registers a version as a run does, its run having ended; it passes its gate. @returns its number */
  async version(given: {
    dataset: Digest;
    release?: ReleasePolicy;
    warmStartedFrom?: Digest;
    text?: string;
  }): Promise<number> {
    const { dataset, release, warmStartedFrom = null, text = `model ${++this.#made}` } = given;
    const { releases } = this;
    const artifact = await this.file(text);
    const champion = await findAlias(this.db, releases.model, CHAMPION);
    const candidate = await releases.candidate({
      verdict: champion ? 'pass' : 'no-baseline',
      against: champion?.version ?? null,
      artifact: artifact.digest,
      ...(release && { release }),
    });
    const { version } = await releases.register({
      ...candidate,
      dataset,
      lineage: { ...candidate.lineage, dataset, warmStartedFrom },
    });
    await this.endRun(candidate.runId);
    return version;
  }

  async endRun(id: string): Promise<void> {
    const at = this.releases.clock.now();
    await this.releases.database.sql`update runs set state = 'succeeded', ended_at = ${at} where id = ${id}`;
  }

  policy(rules: Partial<RetentionPolicy>): Promise<RetentionPolicy> {
    const none = { predictions: FOR_EVER, datasets: FOR_EVER, artifacts: FOR_EVER, runs: FOR_EVER };
    return this.retention.change({ ...none, ...rules }, KEEPER);
  }

  /** Loads a version as serving does, and what it would be made again from. */
  async load(version: number): Promise<void> {
    const found = await getModelVersion(this.db, this.releases.model, version);
    await this.store.get(found.artifact);
    if (found.lineage.kind !== 'run') return;
    const { manifest } = await getDatasetVersion(this.db, found.lineage.dataset);
    for (const { digest } of Object.values(manifest.splits)) await this.store.fetchFile(digest);
    if (found.lineage.warmStartedFrom !== null) await this.store.get(found.lineage.warmStartedFrom);
  }

  async close(): Promise<void> {
    await this.releases.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
