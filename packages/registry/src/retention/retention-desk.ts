import {
  InvalidRequestError,
  RETENTION_KINDS,
  type Clock,
  type Digest,
  type RetentionKind,
  type RetentionPolicy,
  type RetentionReport,
  type RetentionRule,
} from '@perennial/contract';
import {
  TransactionConflictError,
  deleteGroundTruthBefore,
  deleteRuns,
  dropPredictionPartition,
  getRetentionPolicy,
  lockRetention,
  markArtifactsRemoved,
  markDatasetsRemoved,
  noteUnreferenced,
  predictionIdsOf,
  readHoldings,
  recordChange,
  saveRetentionRule,
  transaction,
  type ArtifactStore,
  type Database,
  type Executor,
  type PredictionPartition,
} from '@perennial/storage';
import { deleteMarkedBytes } from './delete-marked-bytes.ts';
import { planRetention, reportOf, type RetentionPlan } from './plan.ts';

/** Who asks, and from where; as the audit writes it down. */
export interface Asker {
  by: string;
  origin: string;
}

export interface RetentionDependencies {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
}

/** Runs that are deleted in one transaction. */
const RUNS_AT_ONCE = 200;

/** Facts that are deleted in one transaction. */
const FACTS_AT_ONCE = 10_000;

/** How long things are kept, what would go, and making it go. */
export class RetentionDesk {
  readonly #dependencies: RetentionDependencies;

  constructor(dependencies: RetentionDependencies) {
    this.#dependencies = dependencies;
  }

  policy(): Promise<RetentionPolicy> {
    return getRetentionPolicy(this.#dependencies.database.orm);
  }

  /**
   * Changes the rules of the named kinds.
   * @throws InvalidRequestError for a number of predictions to keep: they are kept by the day
   */
  async change(
    rules: { [Kind in RetentionKind]?: RetentionRule | undefined },
    { by, origin }: Asker,
  ): Promise<RetentionPolicy> {
    refuseCountOfPredictions(rules.predictions);
    const { database, clock } = this.#dependencies;
    const at = clock.now();
    return transaction(database, async (tx) => {
      const before = await getRetentionPolicy(tx);
      for (const kind of RETENTION_KINDS) {
        const rule = rules[kind];
        if (rule === undefined) continue;
        await saveRetentionRule(tx, { kind, rule, changedAt: at });
        const details = { before: before[kind], after: rule };
        recordChange(tx, {
          at,
          by,
          action: 'retention.changed',
          subject: `retention:${kind}`,
          details,
          origin,
        });
      }
      return getRetentionPolicy(tx);
    });
  }

  /** What would go now. Changes nothing. */
  async plan(): Promise<RetentionReport> {
    const { database, clock } = this.#dependencies;
    const at = clock.now();
    const plan = await this.#planIn(database.orm, { now: at, stored: await this.#stored() });
    return reportOf(plan, { at, dryRun: true });
  }

  /**
   * Removes what the policy lets go. What goes is decided under a lock that everything which begins to need a file takes too, so nothing goes that has come to be needed
   * since. Interrupted at any point it leaves nothing half-removed that the next pass does not finish; several at once do no harm.
   */
  async apply(asker: Asker): Promise<RetentionReport> {
    const at = this.#dependencies.clock.now();
    const stored = await this.#stored();
    const predictions = await this.#dropPredictions(asker, at);
    const plan = await this.#removeFiles(asker, { now: at, stored });
    await this.#deleteRuns(plan.runs.go, asker, at);
    return reportOf({ ...plan, predictions }, { at, dryRun: false });
  }

  async #planIn(db: Executor, input: { now: Date; stored: readonly Digest[] }): Promise<RetentionPlan> {
    return planRetention(await readHoldings(db), { ...input, policy: await getRetentionPolicy(db) });
  }

  async #stored(): Promise<Digest[]> {
    const digests = [];
    for await (const digest of this.#dependencies.artifacts.list()) digests.push(digest);
    return digests;
  }

  async #dropPredictions(asker: Asker, now: Date): Promise<RetentionPlan['predictions']> {
    const { database } = this.#dependencies;
    const { go, kept } = (await this.#planIn(database.orm, { now, stored: [] })).predictions;
    const dropped: PredictionPartition[] = [];
    const left = [...kept];
    for (const partition of go) {
      const reason = await this.#dropDay(partition, asker, now);
      if (reason === null) dropped.push(partition);
      else left.push({ name: partition.day, reason });
    }
    await this.#deleteFactsOfDropped(now);
    return { go: dropped, kept: left };
  }

  /** Null where the day's predictions are gone; otherwise why they are not. */
  async #dropDay(
    { day, rows, bytes }: PredictionPartition,
    { by, origin }: Asker,
    now: Date,
  ): Promise<string | null> {
    try {
      return await transaction(this.#dependencies.database, async (tx) => {
        await lockRetention(tx);
        const { go, kept } = (await this.#planIn(tx, { now, stored: [] })).predictions;
        if (!go.some((partition) => partition.day === day))
          return kept.find(({ name }) => name === day)?.reason ?? null;
        await dropPredictionPartition(tx, day);
        const details = { day, rows, bytes };
        recordChange(tx, {
          at: now,
          by,
          action: 'retention.applied',
          subject: 'retention:predictions',
          details,
          origin,
        });
        return null;
      });
    } catch (error) {
      if (error instanceof TransactionConflictError) return 'it is being read; the next pass tries again';
      throw error;
    }
  }

  /** Facts by the id of a prediction go with it: those older than the oldest day that is left, so that a pass which ended between the two is made up for. */
  async #deleteFactsOfDropped(now: Date): Promise<void> {
    const { database } = this.#dependencies;
    const { predictions } = await getRetentionPolicy(database.orm);
    if (predictions.maxAge === null) return;
    const { partitions } = await readHoldings(database.orm);
    const oldest = partitions[0]?.day ?? now.toISOString().slice(0, 10);
    const before = predictionIdsOf(oldest).from;
    for (let deleted = FACTS_AT_ONCE; deleted === FACTS_AT_ONCE;)
      deleted = await deleteGroundTruthBefore(database.orm, before, FACTS_AT_ONCE);
  }

  /** Says in one transaction what is not kept any more, then deletes its bytes. */
  async #removeFiles(asker: Asker, input: { now: Date; stored: readonly Digest[] }): Promise<RetentionPlan> {
    const { database } = this.#dependencies;
    const at = input.now;
    const plan = await transaction(database, async (tx) => {
      await lockRetention(tx);
      const decided = await this.#planIn(tx, input);
      const { datasets, artifacts } = decided;
      const digests = [...datasets.files, ...artifacts.go].map(({ digest }) => digest);
      const going = new Set(digests);
      await markDatasetsRemoved(
        tx,
        datasets.go.map(({ digest }) => digest),
        at,
      );
      await markArtifactsRemoved(tx, digests, { because: 'retention', at });
      await noteUnreferenced(
        tx,
        artifacts.unreferenced.filter((digest) => !going.has(digest)),
        at,
      );
      recordRemoval(tx, decided, { ...asker, at });
      return decided;
    });
    await deleteMarkedBytes(this.#dependencies);
    return plan;
  }

  async #deleteRuns(going: RetentionPlan['runs']['go'], { by, origin }: Asker, at: Date): Promise<void> {
    for (let start = 0; start < going.length; start += RUNS_AT_ONCE) {
      const ids = going.slice(start, start + RUNS_AT_ONCE).map(({ id }) => id);
      await transaction(this.#dependencies.database, async (tx) => {
        const details = { ...(await deleteRuns(tx, ids)) };
        if (details.runs > 0)
          recordChange(tx, {
            at,
            by,
            action: 'retention.applied',
            subject: 'retention:runs',
            details,
            origin,
          });
      });
    }
  }
}

function recordRemoval(tx: Executor, plan: RetentionPlan, { by, origin, at }: Asker & { at: Date }): void {
  const { parts } = reportOf(plan, { at, dryRun: false });
  for (const { kind, items, rows, bytes, names } of parts) {
    if ((kind !== 'datasets' && kind !== 'artifacts') || items === 0) continue;
    const details = { items, rows, bytes, names };
    recordChange(tx, { at, by, action: 'retention.applied', subject: `retention:${kind}`, details, origin });
  }
}

function refuseCountOfPredictions(rule: RetentionRule | undefined): void {
  if (rule?.keepLast === null || rule === undefined) return;
  throw new InvalidRequestError('Predictions are kept by the day, not by their number.', [
    { path: 'predictions.keepLast', message: 'must be null; say how old they may grow with maxAge' },
  ]);
}
