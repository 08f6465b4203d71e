import type { Clock, IdGenerator, Reproduction } from '@perennial/contract';
import { createReproduction, getModelVersion, transaction, type Database } from '@perennial/storage';

export interface ReproductionServiceDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
}

export interface ReproductionRequest {
  model: string;
  version: number;
  by: string;
}

/** Asks for versions to be made again. */
export class ReproductionService {
  readonly #dependencies: ReproductionServiceDependencies;

  constructor(dependencies: ReproductionServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws NotFoundError when there is no such version */
  async start({ model, version, by }: ReproductionRequest): Promise<Reproduction> {
    const { database, clock, ids } = this.#dependencies;
    return transaction(database, async (tx) => {
      await getModelVersion(tx, model, version);
      const asked = { id: ids.next(), model, version, requestedBy: by, createdAt: clock.now() };
      return createReproduction(tx, asked);
    });
  }
}
