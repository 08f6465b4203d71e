import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  IdGenerator,
  ManualClock,
  parseId,
  type Batch,
  type JobKind,
  type ModelCard,
} from '@perennial/contract';
import { InferenceModel, readSignature } from '@perennial/onnx';
import {
  FileArtifactStore,
  getBatch,
  insertModelVersion,
  startWorker,
  takeVersionNumber,
  transaction,
  type Database,
  type JobContext,
  type JobHandlers,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { BatchExecutor } from '../batches/batch-executor.ts';
import type { BatchPlaces } from '../batches/batch-parts.ts';
import { BatchService, type NewBatchRequest } from '../batches/batch-service.ts';
import { batchArtifact, type LABELS } from './batch-model.ts';

/** 1,000 rows of every type of column, some of their values missing; `id` and `code` are there to be passed through. */
export const ROWS = `
  SELECT i AS id, CAST(i AS DECIMAL(9, 2)) / 4 AS code,
    CASE WHEN i % 11 = 0 THEN NULL ELSE i / 100.0 END AS amount,
    CASE WHEN i % 13 = 0 THEN NULL ELSE i % 2 = 0 END AS smoker,
    CASE WHEN i % 7 = 0 THEN NULL ELSE TIMESTAMP '2024-01-01' + i * INTERVAL 37 MINUTE END AS at,
    CASE i % 5 WHEN 0 THEN 'Rome' WHEN 1 THEN 'a city of a name longer than twelve bytes' WHEN 2 THEN 'Łódź' WHEN 3 THEN 'Oslo' END AS city
  FROM range(1000) AS t(i)`;

export const MODEL = 'bills';

/** Batches on a database, a store and a folder of their own; what a worker would be given from the queue is given by the test, or a worker takes it. */
export class BatchBench {
  readonly clock = new ManualClock('2024-03-11T00:00:00Z');
  readonly ids = new IdGenerator(this.clock);
  readonly logged: unknown[] = [];
  readonly #test: TestDatabase;

  private constructor(
    test: TestDatabase,
    readonly artifacts: FileArtifactStore,
    readonly root: string,
  ) {
    this.#test = test;
  }

  static async open(): Promise<BatchBench> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'perennial-batches-')));
    await mkdir(join(root, 'files'));
    const artifacts = await FileArtifactStore.open({ folder: join(root, 'artifacts') });
    return new BatchBench(await createTestDatabase({ maxConnections: 8 }), artifacts, root);
  }

  get database(): Database {
    return this.#test.database;
  }

  /** Where batches may read. */
  get folder(): string {
    return join(this.root, 'files');
  }

  async close(): Promise<void> {
    await this.#test.drop();
    await rm(this.root, { recursive: true, force: true });
  }

  /** Registers a version of {@link MODEL}, or of another model. */
  async register(kind: keyof typeof LABELS, model = MODEL): Promise<number> {
    const bytes = batchArtifact(kind);
    const { digest } = await this.artifacts.put(bytes);
    return transaction(this.database, async (tx) => {
      const at = this.clock.now();
      const version = await takeVersionNumber(tx, model, at);
      const lineage = {
        ...{ kind: 'imported' as const, by: 'token:maker', producer: '', note: '', platformVersion: '0.0.0' },
      };
      await insertModelVersion(tx, {
        ...{ model, version, runId: null, artifactDigest: digest, artifactBytes: bytes.length },
        ...{ datasetDigest: null, signature: readSignature(bytes), lineage, gate: null },
        ...{ card: {} as ModelCard, asOf: at, createdAt: at },
      });
      return version;
    });
  }

  /** Writes a query's rows to a file; the ending says the format. */
  async write(name: string, query = ROWS, options = ''): Promise<void> {
    const file = join(this.folder, name);
    await mkdir(dirname(file), { recursive: true });
    const format = name.endsWith('.csv') ? 'csv, HEADER' : name.endsWith('.ndjson') ? 'json' : 'parquet';
    await runSql(`COPY (${query}) TO '${file}' (FORMAT ${format}${options})`);
  }

  start(request: Partial<NewBatchRequest> & Pick<NewBatchRequest, 'input'>): Promise<Batch> {
    return this.service().start({
      model: MODEL,
      version: 1,
      keys: [],
      by: 'ann',
      origin: 'test',
      ...request,
    });
  }

  service(hasBucket = false): BatchService {
    return new BatchService({ ...this.#parts, hasBucket });
  }

  /** The handlers of a worker of its own. */
  handlers(places: Partial<BatchPlaces> = {}): JobHandlers {
    const executor = new BatchExecutor({
      ...this.#parts,
      places: { folder: this.folder, bucket: null, ...places },
      workFolder: join(this.root, 'work'),
      log: (line) => this.logged.push(line),
    });
    return executor.handlers;
  }

  /** Lets a worker work until the batch has ended. */
  async run(batch: Batch, places: Partial<BatchPlaces> = {}): Promise<Batch> {
    const worker = await startWorker({
      database: this.database,
      handlers: this.handlers(places),
      concurrency: 2,
    });
    try {
      return await this.ended(batch);
    } finally {
      await worker.stop();
    }
  }

  async ended({ id }: Pick<Batch, 'id'>): Promise<Batch> {
    for (;;) {
      const batch = await this.get(id);
      if (batch.endedAt !== null) return batch;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get(id: string): Promise<Batch> {
    return getBatch(this.database.orm, parseId('batch', id));
  }

  /** Jobs that wait in the queue, by kind. */
  async waiting(): Promise<JobKind[]> {
    const rows = await this.database.sql<{ kind: JobKind }[]>`
      select task_identifier as kind from graphile_worker.jobs order by id`;
    return rows.map(({ kind }) => kind);
  }

  /** Rows of a batch's output; the query calls it `file`. */
  async rows(batch: Batch, query = 'FROM file'): Promise<Record<string, unknown>[]> {
    const file = await this.artifacts.fetchFile(batch.output?.digest ?? '');
    return runSql(query.replace(/\bfile\b/g, `read_parquet('${file}')`));
  }

  async stored(): Promise<string[]> {
    const digests: string[] = [];
    for await (const digest of this.artifacts.list()) digests.push(digest);
    return digests.sort();
  }

  /** What is left in the work folder. */
  async leftovers(): Promise<string[]> {
    return readdir(join(this.root, 'work')).catch(() => []);
  }

  get #parts() {
    const { database, artifacts, clock, ids } = this;
    return { database, artifacts, clock, ids };
  }
}

/** A job's context of a first try that nobody stops. */
export function context(change: Partial<JobContext> = {}): JobContext {
  return { signal: new AbortController().signal, attempt: 1, lastAttempt: false, ...change };
}

/** What a model answers for {@link ROWS}, a row at a time. */
export async function answersFor(kind: keyof typeof LABELS, query = ROWS): Promise<unknown[]> {
  const model = await InferenceModel.load(batchArtifact(kind));
  const rows = await runSql(
    `SELECT coalesce(CAST(amount AS DOUBLE), 'NaN'::DOUBLE) AS amount, coalesce(CAST(smoker AS DOUBLE), 'NaN'::DOUBLE) AS smoker,
       CAST(coalesce(epoch_ms("at"), -9223372036854775808) AS VARCHAR) AS moment, coalesce(city, '') AS city FROM (${query})`,
  );
  const answers: unknown[] = [];
  for (const { amount, smoker, moment, city } of rows) {
    const output = await model.run({
      rows: 1,
      columns: {
        amount: Float64Array.of(Number(amount)),
        smoker: Float64Array.of(Number(smoker)),
        at: BigInt64Array.of(BigInt(String(moment))),
        city: [String(city)],
      },
    });
    answers.push(plain(output));
  }
  await model.release();
  return answers;
}

function plain(output: Awaited<ReturnType<InferenceModel['run']>>) {
  switch (output.kind) {
    case 'binary':
      return { probability: output.probability[0], decision: output.decision[0] === 1 };
    case 'multiclass':
      return { probabilities: [...output.probabilities], decision: output.decision[0] };
    case 'regression':
      return { value: output.value[0] };
  }
}

export async function runSql(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
