import { parseId, type Clock, type IdGenerator } from '@perennial/contract';
import { ReproductionService } from '@perennial/orchestration';
import { getReproduction, type Database } from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

export interface ReproductionHandlerDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
}

/** Versions that are made again from what is on record of them. */
export function reproductionHandlers(dependencies: ReproductionHandlerDependencies) {
  const reproductions = new ReproductionService(dependencies);
  return {
    startReproduction: ({ params }, { principal, origin }) =>
      reproductions.start({ ...params, by: principal.name, origin }),
    getReproduction: ({ params }) =>
      getReproduction(dependencies.database.orm, parseId('reproduction', params.reproduction)),
  } satisfies Partial<Handlers>;
}
