import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  binary,
  definePipeline,
  mlp,
  notWorse,
  numeric,
  parquet,
  type PipelineInput,
} from '@perennial/pipeline';
import { FileArtifactStore } from '@perennial/storage';
import { buildDataset, type BuildOptions, type BuiltDataset } from '../build-dataset.ts';
import { readSplit, type SplitBatch } from '../read-split.ts';

/** A folder with sources, an artifact store and a work folder of its own, for one test. */
export class Workshop {
  readonly folder: string;
  readonly artifacts: FileArtifactStore;

  private constructor(folder: string, artifacts: FileArtifactStore) {
    this.folder = folder;
    this.artifacts = artifacts;
  }

  static async open(name = 'data-test-'): Promise<Workshop> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), name)));
    return new Workshop(folder, await FileArtifactStore.open({ folder: join(folder, 'artifacts') }));
  }

  get workFolder(): string {
    return join(this.folder, 'work');
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Writes a query's rows to a source file; the ending says the format. */
  async write(name: string, query: string): Promise<void> {
    const file = join(this.folder, name);
    await mkdir(join(file, '..'), { recursive: true });
    const format = name.endsWith('.csv') ? 'csv, HEADER' : (name.split('.').at(-1) ?? '');
    await runSql(`COPY (${query}) TO '${file}' (FORMAT ${format})`);
  }

  build(spec: BuildOptions['spec'], options: Partial<BuildOptions> = {}): Promise<BuiltDataset> {
    const { folder, artifacts, workFolder } = this;
    return buildDataset({ spec, folder, artifacts, workFolder, asOf: AS_OF, threads: 2, ...options });
  }

  /** What a query says of a stored Parquet file, which it calls `file`; as DuckDB's JSON has it. */
  async rows(digest: string, query = 'FROM file'): Promise<Record<string, unknown>[]> {
    const file = await this.artifacts.fetchFile(digest);
    return runSql(query.replace(/\bfile\b/, `read_parquet('${file}')`));
  }

  /** A whole split in one batch. */
  async read(
    { manifest }: BuiltDataset,
    split: 'train' | 'validation' | 'test' = 'train',
  ): Promise<SplitBatch> {
    const file = await this.artifacts.fetchFile(manifest.splits[split].digest);
    const batches: SplitBatch[] = [];
    for await (const batch of readSplit({ file, manifest, batchRows: 100_000 })) batches.push(batch);
    const [batch] = batches;
    if (batch === undefined) throw new Error(`the ${split} split has no batch`);
    return batch;
  }
}

/** The day after the newest rows that {@link TRIPS} has within its window. */
export const AS_OF = new Date('2024-01-11T05:30:00Z');

/**
 * 240 rows, one an hour from 2024-01-01 on, which is ten days; window of 7, 2 and 1 days. `delay` repeats 0 to 29, `distance` 100 to 600, `origin` has
 * three values of unequal frequency.
 */
export const TRIPS = `
  SELECT TIMESTAMP '2024-01-01' + i * INTERVAL 1 HOUR AS at, i AS id, CAST(i % 30 AS INTEGER) AS delay,
    100.0 + (i % 6) * 100 AS distance, CASE WHEN i % 4 = 0 THEN 'ATL' WHEN i % 4 = 1 THEN 'ORD' ELSE 'LAX' END AS origin
  FROM range(240) AS t(i)`;

export const TRIPS_INPUT = {
  name: 'trips',
  data: {
    source: parquet('trips.parquet'),
    time: 'at',
    window: { train: '7d', validation: '2d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 14' }),
  features: { distance: numeric() },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
} satisfies PipelineInput;

/** A pipeline over {@link TRIPS} with some parts replaced. */
export function tripsSpec(
  parts: Partial<PipelineInput> = {},
  data: Partial<PipelineInput['data']> = {},
): BuildOptions['spec'] {
  const input: PipelineInput = { ...TRIPS_INPUT, ...parts, data: { ...TRIPS_INPUT.data, ...data } };
  return definePipeline(input).spec;
}

export async function runSql(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
