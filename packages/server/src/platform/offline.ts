import { PrecomputationExecutor } from '@perennial/orchestration';
import {
  EntityFeatures,
  HybridPredictions,
  PrecomputedAnswers,
  PredictionLookups,
  type ChampionTable,
  type Journal,
  type Predictor,
  type ServedModels,
} from '@perennial/serving';
import {
  KEY_ERASED_CHANNEL,
  deleteUnneededEntityRows,
  dropPrecomputed,
  type JobHandlers,
} from '@perennial/storage';
import type { MetricSources } from '../http/metrics.ts';
import type { PlatformParts } from './parts.ts';

/** What answers from what was computed before, and by key. */
export interface Offline {
  /** Every way of answering behind one door. */
  predictions: HybridPredictions;
  lookups: PredictionLookups;
  answers: PrecomputedAnswers;
  entities: EntityFeatures;
}

export interface OnlineParts {
  online: Predictor;
  champions: ChampionTable;
  models: ServedModels;
  journal: Journal;
}

/** Puts together what answers by key, in front of what computes. */
export async function openOffline(
  { database, clock, ids, closers }: PlatformParts,
  { online, champions, models, journal }: OnlineParts,
): Promise<Offline> {
  const answers = new PrecomputedAnswers({ table: champions, database });
  const entities = new EntityFeatures({ database, clock });
  const forget = () => {
    answers.clear();
    entities.clear();
  };
  const listener = await database.listen(KEY_ERASED_CHANNEL, forget, forget);
  closers.add('precomputed answers', async () => {
    answers.close();
    await listener.stop();
  });
  const lookups = new PredictionLookups({ table: champions, answers, journal, ids, clock });
  const predictions = new HybridPredictions({ online, table: champions, models, lookups, entities });
  return { predictions, lookups, answers, entities };
}

/** What a worker does for precomputations. */
export function precomputationJobs(parts: PlatformParts): JobHandlers {
  const { database, artifacts, clock, signer, logger } = parts;
  return new PrecomputationExecutor({
    database,
    artifacts,
    clock,
    trusted: signer.trusted,
    log: ({ precomputation, message, error }) =>
      error === undefined
        ? logger.info({ precomputation }, message)
        : logger.error({ precomputation, err: error }, message),
  }).handlers;
}

/** Rows that are removed by one statement. */
const DELETED_AT_ONCE = 10_000;

/** Removes what is kept to answer with and answers nobody any more. */
export async function dropUnservedRows({
  database,
  clock,
}: Pick<PlatformParts, 'database' | 'clock'>): Promise<{
  precomputedPredictions: number;
  entityFeatures: number;
}> {
  const precomputedPredictions = await dropPrecomputed(database, { now: clock.now() });
  let entityFeatures = 0;
  for (let deleted = DELETED_AT_ONCE; deleted === DELETED_AT_ONCE; entityFeatures += deleted)
    deleted = await deleteUnneededEntityRows(database.orm, DELETED_AT_ONCE);
  return { precomputedPredictions, entityFeatures };
}

/** Counters of what answers by key, by the names they are scraped under. */
export function offlineNumbers({ answers, entities }: Offline): MetricSources['numbers'] {
  return [
    {
      name: 'perennial_precomputed_hits_total',
      help: 'Keys whose precomputed answer was in memory',
      read: () => answers.counters.hits,
    },
    {
      name: 'perennial_precomputed_misses_total',
      help: 'Keys whose precomputed answer was looked for in the database',
      read: () => answers.counters.misses,
    },
    {
      name: 'perennial_precomputed_cache_bytes',
      help: 'Memory that precomputed answers take, about',
      read: () => answers.bytes,
    },
    {
      name: 'perennial_entity_features_hits_total',
      help: 'Keys whose features were in memory',
      read: () => entities.counters.hits,
    },
    {
      name: 'perennial_entity_features_misses_total',
      help: 'Keys whose features were looked for in the database',
      read: () => entities.counters.misses,
    },
    {
      name: 'perennial_entity_features_stale_total',
      help: 'Keys answered with features older than they may be, since the database was away',
      read: () => entities.counters.stale,
    },
    {
      name: 'perennial_entity_features_cache_bytes',
      help: 'Memory that entities’ features take, about',
      read: () => entities.bytes,
    },
  ];
}
