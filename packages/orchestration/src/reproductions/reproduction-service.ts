import type { Clock, IdGenerator, Reproduction } from '@perennial/contract';
import {
  createReproduction,
  getModelVersion,
  recordChange,
  transaction,
  type Database,
  type Requester,
} from '@perennial/storage';

export interface ReproductionServiceDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
}

export interface ReproductionRequest extends Requester {
  model: string;
  version: number;
}

/** Asks for versions to be made again. */
export class ReproductionService {
  readonly #dependencies: ReproductionServiceDependencies;

  constructor(dependencies: ReproductionServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws NotFoundError when there is no such version */
  async start({ model, version, by, origin }: ReproductionRequest): Promise<Reproduction> {
    const { database, clock, ids } = this.#dependencies;
    return transaction(database, async (tx) => {
      await getModelVersion(tx, model, version);
      const at = clock.now();
      const asked = { id: ids.next(), model, version, requestedBy: by, createdAt: at };
      const reproduction = await createReproduction(tx, asked);
      const details = { reproduction: reproduction.id };
      const subject = `version:${model}@${version}`;
      recordChange(tx, { at, by, action: 'reproduction.started', subject, details, origin });
      return reproduction;
    });
  }
}
