import type { Clock } from '@perennial/contract';
import type { Chore } from '@perennial/orchestration';
import { AsyncPredictionDesk, AsyncPredictionExecutor, EndedPredictions } from '@perennial/serving';
import { expireAsyncPredictions, startWorker, type Database } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import { traced } from '../tracing/tracing.ts';
import type { PlatformParts } from './parts.ts';
import type { ServedChampions } from './serving.ts';

/** Predictions at the same time: most of the time of one is the database's. */
const CONCURRENCY = 4;

/** Results are removed up to so much later; from the moment their time is over nobody is shown one. */
const PAUSE_MILLISECONDS = 60_000;

/** What takes requests that are answered later, and tells what became of them. */
export async function openAsyncPredictions(
  { asyncPredictions }: Pick<Config, 'asyncPredictions'>,
  { database, clock, ids, closers }: PlatformParts,
  { models }: ServedChampions,
): Promise<AsyncPredictionDesk> {
  const ended = await EndedPredictions.open(database);
  closers.add('ends of asynchronous predictions', () => ended.close());
  return new AsyncPredictionDesk({ database, models, ended, clock, ids, ...asyncPredictions });
}

/** Starts a worker of its own for asynchronous predictions: a training run, or a batch, keeps none of them waiting. */
export async function startAsyncPredictions(
  { asyncPredictions: { keptMilliseconds } }: Pick<Config, 'asyncPredictions'>,
  { database, clock, ids, closers, logger, tracing }: PlatformParts,
  { models, champions }: ServedChampions,
): Promise<void> {
  const executor = new AsyncPredictionExecutor({
    database,
    models,
    servingOf: (model) => champions.servingOf(model),
    clock,
    ids,
    keptMilliseconds,
    log: ({ message, error, ...what }) => logger.error({ ...what, err: error }, message),
  });
  const worker = await startWorker({
    database,
    concurrency: CONCURRENCY,
    handlers: {
      'prediction.execute': (payload, job) =>
        traced(tracing, { name: 'prediction.execute', kind: 'consumer', payload }, (inside) =>
          executor.execute(inside, job),
        ),
    },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('asynchronous predictions', () => worker.stop());
}

/** Whether this process works on asynchronous predictions. */
export function worksOnPredictions({ roles, queues }: Pick<Config, 'roles' | 'queues'>): boolean {
  return roles.includes('worker') && (queues === null || queues.includes('predictions'));
}

/** Removes the results whose time is over. */
export function expiryChore({ database, clock }: { database: Database; clock: Clock }): Chore {
  let next = 0;
  return {
    what: 'expired asynchronous predictions',
    tick: async () => {
      const now = clock.now();
      if (now.getTime() < next) return;
      await expireAsyncPredictions(database.orm, now);
      next = now.getTime() + PAUSE_MILLISECONDS;
    },
  };
}
