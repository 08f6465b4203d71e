import { sql } from 'drizzle-orm';
import type { DataCard, DatasetManifest, Digest, PipelineSpec } from '@perennial/contract';
import { listPredictionPartitions, type PredictionPartition } from '../database/partitions.ts';
import type { Executor } from './executor.ts';

/** A version whose file is kept. */
export interface HeldVersion {
  model: string;
  version: number;
  artifact: Digest;
  artifactBytes: number;
  /** The linear model beside it. */
  linear: { artifact: Digest; bytes: number } | null;
  /** The file as it was given, of an imported version. */
  original: Digest | null;
  warmStartedFrom: Digest | null;
  dataset: Digest | null;
  createdAt: Date;
}

/** A dataset version whose rows are kept. */
export interface HeldDataset {
  digest: Digest;
  pipeline: string;
  createdAt: Date;
  rows: number;
  /** Splits and quarantine. */
  files: { digest: Digest; bytes: number }[];
}

/** A run that has ended. */
export interface HeldRun {
  id: string;
  pipeline: string;
  createdAt: Date;
  endedAt: Date;
  /** Its events. */
  rows: number;
  /** What it registered: `flight-delay@3`. */
  registered: string | null;
  backfill: string | null;
}

/** A run that has not ended. */
export interface UnfinishedRun {
  id: string;
  spec: PipelineSpec;
  asOf: Date;
  dataset: Digest | null;
  /** What its steps have left in the store. */
  artifacts: Digest[];
}

/** A batch: what it has made, or needs while it is under way. */
export interface HeldBatch {
  id: string;
  underWay: boolean;
  /** Its output; while it is under way its chunks, and what their rows are read from. */
  artifacts: Digest[];
  /** The dataset version it reads, while it is under way. */
  dataset: Digest | null;
}

/** Why a version is needed. */
export interface VersionNeed {
  model: string;
  version: number;
  /** `champion of flight-delay`. */
  reason: string;
}

/** Everything on record that retention decides by. */
export interface Holdings {
  partitions: PredictionPartition[];
  versions: HeldVersion[];
  datasets: HeldDataset[];
  runs: HeldRun[];
  unfinished: UnfinishedRun[];
  needs: VersionNeed[];
  batches: HeldBatch[];
  /** Of the pipelines that are loaded. */
  pipelines: PipelineSpec[];
  /** Those that are running. */
  backfills: { id: string; pipeline: string; firstDay: string }[];
  /** Artifacts that nothing referred to when a pass looked, and since when. */
  noticed: Map<Digest, Date>;
}

/** Reads what retention decides by. */
export async function readHoldings(db: Executor): Promise<Holdings> {
  return {
    partitions: await listPredictionPartitions(db),
    versions: await heldVersions(db),
    datasets: await heldDatasets(db),
    runs: await heldRuns(db),
    unfinished: await unfinishedRuns(db),
    needs: await versionNeeds(db),
    batches: await heldBatches(db),
    pipelines: (await db.execute<{ spec: PipelineSpec }>(sql`select spec from pipelines`)).map(
      ({ spec }) => spec,
    ),
    backfills: [
      ...(await db.execute<{ id: string; pipeline: string; firstDay: string }>(
        sql`select id, pipeline, coalesce(next_day, first_day) as "firstDay" from backfills where state = 'running'`,
      )),
    ],
    noticed: new Map(
      (
        await db.execute<{ digest: string; at: Date }>(
          sql`select digest, noticed_at as at from unreferenced_artifacts`,
        )
      ).map(({ digest, at }) => [digest, at]),
    ),
  };
}

/** The linear model stands in the training step's output, which is small; the card, which has it too, is megabytes over all versions. */
async function heldVersions(db: Executor): Promise<HeldVersion[]> {
  const rows = await db.execute<
    Omit<HeldVersion, 'artifactBytes' | 'linear'> & { bytes: string; linear: HeldVersion['linear'] }
  >(sql`
    select v.model, v.version, v.artifact_digest as artifact, v.artifact_bytes as bytes, s.output->'linear' as linear,
      case when v.lineage->>'kind' = 'imported' then v.card#>>'{file,digest}' end as original,
      v.lineage->>'warmStartedFrom' as "warmStartedFrom", v.dataset_digest as dataset, v.created_at as "createdAt"
    from model_versions v left join steps s on s.run_id = v.run_id and s.name = 'training'
    where not exists (select from removed_artifacts r where r.digest = v.artifact_digest)
    order by v.model, v.version`);
  return rows.map(({ bytes, ...row }) => ({
    ...row,
    artifactBytes: Number(bytes),
    linear: row.linear ?? null,
  }));
}

async function heldDatasets(db: Executor): Promise<HeldDataset[]> {
  const rows = await db.execute<{
    digest: string;
    pipeline: string;
    createdAt: Date;
    splits: DatasetManifest['splits'];
    quarantine: DataCard['quarantine']['digest'] | null;
  }>(sql`
    select digest, pipeline, created_at as "createdAt", manifest->'splits' as splits, card#>>'{quarantine,digest}' as quarantine
    from dataset_versions where removed_at is null order by created_at, digest`);
  return rows.map(({ splits, quarantine, ...row }) => {
    const { train, validation, test } = splits;
    const files = [train, validation, test].map(({ digest, bytes }) => ({ digest, bytes }));
    // How large the quarantine is, nobody wrote down.
    if (quarantine !== null && quarantine !== undefined) files.push({ digest: quarantine, bytes: 0 });
    return { ...row, files, rows: train.rows + validation.rows + test.rows };
  });
}

async function heldRuns(db: Executor): Promise<HeldRun[]> {
  const rows = await db.execute<{ [Field in keyof HeldRun]: HeldRun[Field] }>(sql`
    select r.id, r.pipeline, r.created_at as "createdAt", coalesce(r.ended_at, r.created_at) as "endedAt", r.last_sequence as rows,
      v.model || '@' || v.version as registered, b.id as backfill
    from runs r left join model_versions v on v.run_id = r.id
      left join backfills b on b.id = r.backfill_id and b.state = 'running'
    where r.state in ('succeeded', 'failed', 'cancelled') order by r.id`);
  return [...rows];
}

async function unfinishedRuns(db: Executor): Promise<UnfinishedRun[]> {
  const rows = await db.execute<
    Omit<UnfinishedRun, 'artifacts'> & { artifacts: (string | null)[] | null }
  >(sql`
    select r.id, r.spec, r.as_of as "asOf", coalesce(r.dataset_digest, d.output->>'dataset') as dataset,
      jsonb_build_array(t.output->>'artifact', t.output#>>'{linear,artifact}', t.output#>>'{warmStart,from}') as artifacts
    from runs r left join steps d on d.run_id = r.id and d.name = 'data'
      left join steps t on t.run_id = r.id and t.name = 'training'
    where r.state in ('queued', 'running') order by r.id`);
  return rows.map((row) => ({
    ...row,
    artifacts: (row.artifacts ?? []).filter((digest) => digest !== null),
  }));
}

async function heldBatches(db: Executor): Promise<HeldBatch[]> {
  const rows = await db.execute<{ [Field in keyof HeldBatch]: HeldBatch[Field] }>(sql`
    select b.id, false as "underWay", jsonb_build_array(b.output->>'digest') as artifacts, null as dataset
    from batches b where b.state = 'completed'
    union all
    select b.id, true, coalesce(jsonb_agg(c.output) filter (where c.output is not null), '[]')
        || coalesce(jsonb_agg(distinct c.part->>'digest') filter (where c.part->>'place' <> 'folder'), '[]'),
      b.input->>'dataset'
    from batches b left join batch_chunks c on c.batch = b.id
    where b.state in ('queued', 'running') group by b.id
    order by id`);
  return [...rows];
}

/** Versions a model was at before, that stay for the way back: one rollback after another finds its version. */
const WAY_BACK = 3;

async function versionNeeds(db: Executor): Promise<VersionNeed[]> {
  const rows = await db.execute<{ [Field in keyof VersionNeed]: VersionNeed[Field] }>(sql`
    with moved as (
      select model, version, max(revision) as revision from alias_moves
      where alias = 'champion' and version is not null group by model, version
    ),
    was as (
      select m.*, exists (select from releases r where r.model = m.model and r.version = m.version and r.state = 'superseded')
        and not exists (
          select from alias_moves later join releases r on r.id = later.release_id and r.state = 'rolled-back'
            join model_versions lv on lv.model = later.model and lv.version = later.version and lv.artifact_digest = v.artifact_digest
          where later.model = m.model and later.alias = 'champion' and later.revision >= m.revision) as restorable
      from moved m join model_versions v on v.model = m.model and v.version = m.version
    ),
    ranked as (
      select *, row_number() over (partition by model order by revision desc) as place,
        row_number() over (partition by model, restorable order by revision desc) as restorable_place from was
    )
    select model, version, alias || ' of ' || model as reason, 1 as rank from aliases
    union all
    select model, version, state || ' release of ' || model || '@' || version, 2 from releases where state in ('pending', 'approved', 'live')
    union all
    select model, version, 'an earlier champion of ' || model || ', for the way back', 3 from ranked
      where place <= ${WAY_BACK} + 1 or (restorable and restorable_place <= ${WAY_BACK})
    union all
    select model, version, 'a reproduction of ' || model || '@' || version || ' is under way', 4
      from reproductions where state in ('queued', 'running')
    union all
    select model, version, 'a batch of ' || model || '@' || version || ' is under way', 5
      from batches where state in ('queued', 'running')
    order by rank, reason`);
  return rows.map(({ model, version, reason }) => ({ model, version, reason }));
}
