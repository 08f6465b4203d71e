import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  ensurePredictionPartitions,
  fileLineage,
  migrate,
  openDatabase,
  predictionLineage,
  startEmbeddedPostgres,
  type Database,
} from '@perennial/storage';

/**
 * How long lineage takes both ways, with 10,000 daily dataset versions of 28 files each and a model version trained on each: with a fresh start every 30 versions, and where each
 * version ever made began at the weights of the one before.
 */
const VERSIONS = 10_000;
const FILES = 28;
const REPEATS = 50;
const PREDICTED_AT = new Date('2024-03-01T12:00:00Z');
const PREDICTION = '018df9f5-0400-7000-8000-000000000000';

/** The digest that a number stands for, in SQL. */
const DIGEST = `create function digest_of(kind text, number int) returns text language sql immutable as
  $$ select 'sha256:' || encode(sha256(convert_to(kind || number, 'UTF8')), 'hex') $$`;

async function fill({ sql }: Database, freshEvery: number): Promise<void> {
  await sql.unsafe(DIGEST);
  await sql`insert into models (name, created_at, latest_version) values ('visits', now(), ${VERSIONS})`;
  await sql`
    insert into dataset_versions (digest, pipeline, as_of, created_at, manifest, card)
    select digest_of('dataset', n), 'visits', now(), now(), '{}', jsonb_build_object('filler', (
      select jsonb_agg(digest_of('filler', n * 100 + i)) from generate_series(1, 100) i))
    from generate_series(1, ${VERSIONS}) n`;
  await sql`
    insert into dataset_files (dataset, digest, name, bytes)
    select digest_of('dataset', n), digest_of('file', n + i), 'day-' || (n + i) || '.csv', 1000
    from generate_series(1, ${VERSIONS}) n, generate_series(1, ${FILES}) i`;
  await sql`
    insert into model_versions (model, version, artifact_digest, artifact_bytes, dataset_digest, signature, lineage, card, as_of, created_at)
    select 'visits', n, digest_of('artifact', n), 1000, digest_of('dataset', n), '{}', jsonb_build_object(
      'kind', 'run', 'codeDigest', digest_of('code', 1), 'dataset', digest_of('dataset', n),
      'warmStartedFrom', case when n % ${freshEvery} = 1 then null else digest_of('artifact', n - 1) end),
      jsonb_build_object('filler', (select jsonb_agg(digest_of('filler', n * 100 + i)) from generate_series(1, 100) i)), now(), now()
    from generate_series(1, ${VERSIONS}) n`;
  await ensurePredictionPartitions(sql, ['2024-03-01']);
  await sql`
    insert into predictions (id, model, version, endpoint, features, output, mode, latency_microseconds, at)
    values (${PREDICTION}, 'visits', ${VERSIONS - 10}, 'visits', '{}', '{}', 'live', 1, ${PREDICTED_AT})`;
  await sql`analyze`;
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

async function measure(database: Database, freshEvery: number): Promise<void> {
  await fill(database, freshEvery);
  const [row] = await database.sql<{ digest: string }[]>`
    select digest_of('file', ${VERSIONS / 2}) as digest`;
  const digest = row?.digest ?? '';
  const found = await fileLineage(database.orm, digest);
  const { ancestors } = await predictionLineage(database.orm, PREDICTION);
  const back = await median(() => predictionLineage(database.orm, PREDICTION));
  const forth = await median(() => fileLineage(database.orm, digest));
  console.log(
    `a fresh start every ${freshEvery} versions: prediction to ${FILES} files and ${ancestors.length} ancestors ${back.toFixed(1)} ms; file to ${found.datasets.length} datasets and ${found.versions.length} versions ${forth.toFixed(1)} ms (medians of ${REPEATS})`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-lineage-'));
await chmod(folder, 0o711);
const server = await startEmbeddedPostgres({ folder });
try {
  for (const freshEvery of [30, VERSIONS + 1]) {
    const database = await openDatabase({ connection: server.connection });
    await database.sql.unsafe(
      'drop schema public cascade; create schema public; drop schema if exists drizzle cascade; drop schema if exists graphile_worker cascade',
    );
    await migrate(database);
    await measure(database, freshEvery);
    await database.close();
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
