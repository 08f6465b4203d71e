import { durationMilliseconds, type Clock } from '@perennial/contract';
import { ServingAdviser } from '@perennial/serving';
import type { Database } from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

export interface AdviceDependencies {
  database: Database;
  clock: Clock;
  /** Ships every prediction acknowledged so far to the database. */
  flushPredictions: () => Promise<void>;
}

/** How a model should be served. */
export function adviceHandlers({ database, clock, flushPredictions }: AdviceDependencies) {
  const adviser = new ServingAdviser({ database, clock });
  return {
    getAdvice: async ({ params, query }) => {
      await flushPredictions();
      return adviser.advise(params.model, durationMilliseconds(query.window));
    },
  } satisfies Partial<Handlers>;
}
