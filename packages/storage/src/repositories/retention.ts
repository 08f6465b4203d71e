import { eq, inArray, isNull, sql } from 'drizzle-orm';
import {
  PerennialError,
  type Digest,
  type RetentionKind,
  type RetentionPolicy,
  type RetentionRule,
} from '@perennial/contract';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import {
  datasetVersions,
  removedArtifacts,
  retentionPasses,
  retentionRules,
  unreferencedArtifacts,
} from '../database/schema.ts';
import { enqueue } from '../queue/enqueue.ts';
import type { Executor } from './executor.ts';

/** Key of the lock between what begins to need files and what removes them; the trigger `refuse_removed` of the migrations has it too. */
const RETENTION_LOCK = 7_300_214_003;

const BATCH = 1_000;

const KEPT: RetentionRule = { maxAge: null, keepLast: null };

/** How long each kind is kept; what nobody has said is kept for ever. */
export async function getRetentionPolicy(db: Executor): Promise<RetentionPolicy> {
  const policy: RetentionPolicy = { predictions: KEPT, datasets: KEPT, artifacts: KEPT, runs: KEPT };
  for (const { kind, rule } of await db.select().from(retentionRules)) policy[kind] = rule;
  return policy;
}

export async function saveRetentionRule(
  tx: Executor,
  { kind, rule, changedAt }: { kind: RetentionKind; rule: RetentionRule; changedAt: Date },
): Promise<void> {
  await tx
    .insert(retentionRules)
    .values({ kind, rule, changedAt })
    .onConflictDoUpdate({ target: retentionRules.kind, set: { rule, changedAt } });
}

/** Queues the pass of a day, once however many schedulers ask. Call it in a transaction. @returns whether this call did */
export async function queueRetentionPass(tx: Executor, day: string, queuedAt: Date): Promise<boolean> {
  const rows = await tx.insert(retentionPasses).values({ day, queuedAt }).onConflictDoNothing().returning();
  if (rows.length === 0) return false;
  await enqueue(tx, { kind: 'retention.apply', payload: { day }, jobKey: 'retention.apply' });
  return true;
}

/** Waits until nothing is about to need a file, and lets nothing begin to until the transaction ends. Take it before anything else. */
export async function lockRetention(tx: Executor): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${RETENTION_LOCK})`);
}

/** An artifact that was to be put on record was removed in the same moment; made again, it is there. */
export class ArtifactsLostError extends PerennialError {
  readonly code = 'conflict';
  constructor(readonly digests: readonly Digest[]) {
    super(`Artifacts were removed before they were on record: ${digests.join(', ')}.`);
  }

  override get details() {
    return { artifacts: [...this.digests] };
  }

  override get transient() {
    return true;
  }
}

/**
 * Makes sure that artifacts are in the store and stay until the transaction, which puts them on record, has ended. Without it retention could take an old
 * artifact between the moment that the same bytes were put again, which changes nothing, and the moment that something refers to them.
 * @throws ArtifactsLostError when one is not there; the work that put it must be done again
 */
export async function holdArtifacts(
  tx: Executor,
  store: Pick<ArtifactStore, 'has'>,
  digests: readonly Digest[],
): Promise<void> {
  const held = [...new Set(digests)];
  if (held.length === 0) return;
  await tx.execute(sql`select pg_advisory_xact_lock_shared(${RETENTION_LOCK})`);
  const lost = await missingArtifacts(store, held);
  if (lost.length > 0) throw new ArtifactsLostError(lost);
  await tx.delete(removedArtifacts).where(inArray(removedArtifacts.digest, held));
  await tx.delete(unreferencedArtifacts).where(inArray(unreferencedArtifacts.digest, held));
}

/** Those of the artifacts that the store does not have. */
export async function missingArtifacts(
  store: Pick<ArtifactStore, 'has'>,
  digests: readonly Digest[],
): Promise<Digest[]> {
  const there = await Promise.all(digests.map((digest) => store.has(digest)));
  return digests.filter((_, i) => !there[i]);
}

export interface Removal {
  because: 'retention' | 'erasure';
  at: Date;
}

/** Says of artifacts that they are not kept any more. Their bytes go next, by {@link takeMarkedArtifacts}. Under {@link lockRetention}. */
export async function markArtifactsRemoved(
  tx: Executor,
  digests: readonly Digest[],
  { because, at }: Removal,
): Promise<void> {
  for (const batch of batches(digests)) {
    const values = batch.map((digest) => ({ digest, because, removedAt: at, deletedAt: null }));
    await tx
      .insert(removedArtifacts)
      .values(values)
      .onConflictDoUpdate({ target: removedArtifacts.digest, set: { because, deletedAt: null } });
    await tx.delete(unreferencedArtifacts).where(inArray(unreferencedArtifacts.digest, batch));
  }
}

export async function markDatasetsRemoved(tx: Executor, digests: readonly Digest[], at: Date): Promise<void> {
  for (const batch of batches(digests))
    await tx.update(datasetVersions).set({ removedAt: at }).where(inArray(datasetVersions.digest, batch));
}

/** Artifacts that are marked and whose bytes may still be there, some of them. Under {@link lockRetention}. */
export async function takeMarkedArtifacts(tx: Executor, limit: number): Promise<Digest[]> {
  const rows = await tx
    .select({ digest: removedArtifacts.digest })
    .from(removedArtifacts)
    .where(isNull(removedArtifacts.deletedAt))
    .orderBy(removedArtifacts.digest)
    .limit(limit);
  return rows.map(({ digest }) => digest);
}

export async function markArtifactsDeleted(tx: Executor, digests: Digest[], at: Date): Promise<void> {
  if (digests.length > 0)
    await tx.update(removedArtifacts).set({ deletedAt: at }).where(inArray(removedArtifacts.digest, digests));
}

/** When an artifact was removed, if it was. */
export async function artifactRemovedAt(db: Executor, digest: Digest): Promise<Date | undefined> {
  const [row] = await db.select().from(removedArtifacts).where(eq(removedArtifacts.digest, digest));
  return row?.removedAt;
}

/** Notes the artifacts that nothing refers to now; those noted before keep their time, and those that something refers to again are forgotten. */
export async function noteUnreferenced(tx: Executor, digests: readonly Digest[], at: Date): Promise<void> {
  const known = new Set(digests);
  const noted = await tx.select({ digest: unreferencedArtifacts.digest }).from(unreferencedArtifacts);
  const past = noted.map(({ digest }) => digest).filter((digest) => !known.has(digest));
  for (const batch of batches(past))
    await tx.delete(unreferencedArtifacts).where(inArray(unreferencedArtifacts.digest, batch));
  for (const batch of batches(digests)) {
    const values = batch.map((digest) => ({ digest, noticedAt: at }));
    await tx.insert(unreferencedArtifacts).values(values).onConflictDoNothing();
  }
}

/**
 * Deletes runs with their events and steps. What else names them (triggers, alerts, test rows that were asked) stays and forgets the run.
 * @returns how many there were; a run that a version came from is not among them
 */
export async function deleteRuns(
  tx: Executor,
  ids: readonly string[],
): Promise<{ runs: number; rows: number }> {
  if (ids.length === 0) return { runs: 0, rows: 0 };
  const given = sql`(select unnest(${`{${ids.join(',')}}`}::uuid[]))`;
  const [found] = await tx.execute<{ ids: string }>(sql`
    select coalesce(array_agg(id)::text, '{}') as ids from (
      select id from runs where id in ${given} and state in ('succeeded', 'failed', 'cancelled')
        and not exists (select from model_versions v where v.run_id = runs.id) for update) found`);
  const going = sql`(select unnest(${found?.ids ?? '{}'}::uuid[]))`;
  await tx.execute(sql`update triggers set run_id = null where run_id in ${going}`);
  await tx.execute(sql`update alerts set run_id = null where run_id in ${going}`);
  await tx.execute(sql`update test_set_comparisons set run_id = null where run_id in ${going}`);
  const events = await tx.execute(sql`delete from run_events where run_id in ${going} returning 1`);
  const steps = await tx.execute(sql`delete from steps where run_id in ${going} returning 1`);
  const deleted = await tx.execute(sql`delete from runs where id in ${going} returning 1`);
  return { runs: deleted.length, rows: events.length + steps.length };
}

function batches<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, i) =>
    items.slice(i * BATCH, (i + 1) * BATCH),
  );
}
