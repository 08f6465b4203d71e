import { parseId, type Clock, type IdGenerator } from '@perennial/contract';
import { PrecomputationService } from '@perennial/orchestration';
import type { PredictionLookups } from '@perennial/serving';
import { getModel, getPrecomputation, listPrecomputations, type Database } from '@perennial/storage';
import type { Metrics } from './metrics.ts';
import type { Handlers } from './route-registration.ts';

export interface OfflineHandlerDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  lookups: PredictionLookups;
  metrics: Metrics;
}

/** Answers that are computed before they are asked for. */
export function offlineHandlers(dependencies: OfflineHandlerDependencies) {
  return {
    ...precomputationHandlers(dependencies),
    ...lookupHandlers(dependencies),
  } satisfies Partial<Handlers>;
}

function precomputationHandlers(dependencies: OfflineHandlerDependencies) {
  const db = dependencies.database.orm;
  const precomputations = new PrecomputationService(dependencies);
  return {
    startPrecomputation: ({ params, body }, { principal, origin }) =>
      precomputations.start({ ...params, ...body, by: principal.name, origin }),
    listPrecomputations: async ({ params, query }) => {
      await getModel(db, params.model);
      return listPrecomputations(db, params.model, query);
    },
    getPrecomputation: ({ params }) =>
      getPrecomputation(db, params.model, parseId('precomputation', params.precomputation)),
    cancelPrecomputation: ({ params }, { principal, origin }) =>
      precomputations.cancel({
        model: params.model,
        id: params.precomputation,
        by: principal.name,
        origin,
      }),
  } satisfies Partial<Handlers>;
}

function lookupHandlers({ lookups, metrics }: OfflineHandlerDependencies) {
  return {
    lookupPrediction: async ({ params }) => {
      const answer = await lookups.lookup(params.model, params.key);
      metrics.predictions(answer, 1);
      return answer;
    },
    lookupPredictions: async ({ params, body }) => {
      const answer = await lookups.lookupAll(params.model, body.keys);
      metrics.predictions(answer, answer.predictions.length);
      return answer;
    },
  } satisfies Partial<Handlers>;
}
