import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CHAMPION,
  IdGenerator,
  ManualClock,
  parseId,
  type Precomputation,
  type ServingSpec,
} from '@perennial/contract';
import { readSignature, writeArtifact } from '@perennial/onnx';
import { signVersion, testSigning } from '@perennial/registry/testing';
import {
  FileArtifactStore,
  findAlias,
  getPrecomputation,
  insertModelVersion,
  moveAlias,
  saveEndpoint,
  saveEntityRows,
  takeVersionNumber,
  transaction,
  type Database,
  type JobContext,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import {
  PrecomputationExecutor,
  type PrecomputationExecutorDependencies,
} from '../precomputations/precomputation-executor.ts';
import { PrecomputationService } from '../precomputations/precomputation-service.ts';

export const MODEL = 'sums';

/** Everything that computes answers before they are asked for, on a database of its own; what a worker would be given from the queue is given by the test. */
export class PrecomputationBench {
  readonly clock = new ManualClock('2024-03-11T00:00:00Z');
  readonly ids = new IdGenerator(this.clock);
  readonly database: Database;
  readonly service: PrecomputationService;
  readonly #signing = testSigning();

  private constructor(
    readonly test: TestDatabase,
    readonly artifacts: FileArtifactStore,
    readonly folder: string,
  ) {
    this.database = test.database;
    this.service = new PrecomputationService({ database: this.database, clock: this.clock, ids: this.ids });
  }

  static async open(): Promise<PrecomputationBench> {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-precomputations-'));
    const artifacts = await FileArtifactStore.open({ folder: join(folder, 'artifacts') });
    const bench = new PrecomputationBench(await createTestDatabase({ maxConnections: 8 }), artifacts, folder);
    await bench.serve({ modes: ['online', 'offline'] });
    return bench;
  }

  async serve(serving: ServingSpec): Promise<void> {
    const { database, clock } = this;
    await saveEndpoint(database.orm, {
      name: MODEL,
      serving,
      source: 'operator',
      at: clock.now(),
      by: 'test',
    });
  }

  /** Makes the model that answers `x + amount` the champion. @returns its version */
  async promote(amount: number): Promise<number> {
    const bytes = addingArtifact(amount);
    const { digest } = await this.artifacts.put(bytes);
    const at = this.clock.now();
    const version = await transaction(this.database, async (tx) => {
      const number = await takeVersionNumber(tx, MODEL, at);
      await insertModelVersion(tx, {
        model: MODEL,
        version: number,
        runId: null,
        artifactDigest: digest,
        artifactBytes: bytes.length,
        datasetDigest: null,
        signature: readSignature(bytes),
        lineage: { kind: 'imported', by: 'test', producer: '', note: '', platformVersion: '0.0.0' } as never,
        gate: null,
        card: {} as never,
        asOf: at,
        createdAt: at,
      });
      return number;
    });
    await signVersion(this.database, { model: MODEL, version }, this.#signing);
    await this.point(version);
    return version;
  }

  /** Points the champion to a version, and does nothing else. */
  async point(version: number): Promise<void> {
    const current = await findAlias(this.database.orm, MODEL, CHAMPION);
    await moveAlias(this.database.orm, {
      model: MODEL,
      alias: CHAMPION,
      version,
      expectedRevision: current?.revision ?? 0,
      releaseId: null,
      by: 'test',
      reason: 'test',
      at: this.clock.now(),
    });
  }

  /** Entities `k000` and so on, whose x is their number. */
  async entities(count: number, features: (x: number) => object = (x) => ({ x })): Promise<void> {
    const rows = Array.from({ length: count }, (_, x) => ({
      key: `k${String(x).padStart(3, '0')}`,
      features: JSON.stringify(features(x)),
      at: this.clock.now(),
    }));
    await saveEntityRows(this.database.orm, { model: MODEL, dataset: 'sha256:0', rows });
  }

  executor(changes: Partial<PrecomputationExecutorDependencies> = {}): PrecomputationExecutor {
    const { database, artifacts, clock } = this;
    const { trusted } = this.#signing;
    return new PrecomputationExecutor({
      database,
      artifacts,
      clock,
      trusted,
      chunkRows: 10,
      log: () => undefined,
      ...changes,
    });
  }

  start(keys?: string): Promise<Precomputation> {
    return this.service.start({ model: MODEL, keys, by: 'test', origin: 'test' });
  }

  read({ id }: Pick<Precomputation, 'id'>): Promise<Precomputation> {
    return getPrecomputation(this.database.orm, MODEL, parseId('precomputation', id));
  }

  /** The chunks of a precomputation that are not done. */
  async left({ id }: Pick<Precomputation, 'id'>): Promise<number[]> {
    const rows = await this.database.sql<{ chunk: number }[]>`
      select chunk from precomputation_chunks where precomputation = ${parseId('precomputation', id)} and done_at is null
      order by chunk`;
    return rows.map(({ chunk }) => chunk);
  }

  /** Scores every chunk that is not done, all at the same time. */
  async scoreAll(precomputation: Precomputation): Promise<Precomputation> {
    const chunks = await this.left(precomputation);
    await Promise.all(chunks.map((chunk) => this.executor().chunk(precomputation.id, chunk, job())));
    return this.read(precomputation);
  }

  /** The answers of a precomputation, by key. */
  async answers({ id }: Pick<Precomputation, 'id'>): Promise<Map<string, number>> {
    const rows = await this.database.sql<{ key: string; output: { value: number } }[]>`
      select key, output from precomputed_predictions where precomputation = ${parseId('precomputation', id)}`;
    return new Map(rows.map(({ key, output }) => [key, output.value]));
  }

  async close(): Promise<void> {
    await this.test.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A job as a worker gets it. */
export function job(changes: Partial<JobContext> = {}): JobContext {
  return { signal: new AbortController().signal, attempt: 1, lastAttempt: false, ...changes };
}

function addingArtifact(amount: number): Uint8Array {
  const numeric = { kind: 'numeric', impute: 0, missingIndicator: false, clip: {}, log: false } as const;
  return writeArtifact({
    encoder: {
      columns: [{ name: 'x', type: 'number' }],
      features: [{ ...numeric, name: 'x', column: 'x', center: 0, scale: 1 }],
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: 1 }],
      layers: [
        {
          name: 'sum',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [1, 1], data: new Float32Array([1]) },
          bias: { shape: [1], data: new Float32Array([amount]) },
          activation: 'linear',
        },
      ],
      output: 'sum',
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
}
