import { parseId } from '@perennial/contract';
import * as storage from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

export interface LineageHandlerDependencies {
  database: storage.Database;
  /** Ships every prediction acknowledged so far to the database. */
  flushPredictions: () => Promise<void>;
}

/** Where an answer came from, and where a file went. */
export function lineageHandlers({ database, flushPredictions }: LineageHandlerDependencies) {
  const db = database.orm;
  return {
    // Whoever has an answer may ask about it at once, so what the journal still holds goes to the database first.
    getPredictionLineage: async ({ params }) => {
      await flushPredictions();
      return storage.predictionLineage(db, parseId('prediction', params.prediction));
    },
    getFileLineage: ({ params }) => storage.fileLineage(db, params.digest),
  } satisfies Partial<Handlers>;
}
