import { CHAMPION, parseId, type Clock, type IdGenerator, type Precomputation } from '@perennial/contract';
import { KeyCondition } from '@perennial/data';
import { ModeNotServedError, NoChampionError } from '@perennial/serving';
import {
  createPrecomputation,
  endPrecomputation,
  findAlias,
  getEndpoint,
  getModel,
  getModelVersion,
  getPrecomputation,
  lockModel,
  recordChange,
  transaction,
  type Database,
  type Requester,
} from '@perennial/storage';

export interface PrecomputationServiceDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
}

export interface PrecomputationWanted extends Requester {
  model: string;
  /** A condition in SQL; absent: every entity. */
  keys?: string | undefined;
}

/** Asks for answers to be computed before they are asked for, and ends what was asked for. */
export class PrecomputationService {
  readonly #dependencies: PrecomputationServiceDependencies;

  constructor(dependencies: PrecomputationServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Asks for the entities to be scored with the champion. One that is under way makes way for it.
   * @throws NotFoundError, ModeNotServedError, NoChampionError
   * @throws InvalidRequestError when the condition is none
   */
  async start({ model, keys, by, origin }: PrecomputationWanted): Promise<Precomputation> {
    const { database, clock, ids } = this.#dependencies;
    await getModel(database.orm, model);
    const { serving } = await getEndpoint(database.orm, model);
    if (!serving.modes.includes('offline')) throw new ModeNotServedError(model, 'offline');
    if (keys !== undefined) await this.#checkCondition(model, keys);
    return transaction(database, async (tx) => {
      await lockModel(tx, model);
      const champion = await findAlias(tx, model, CHAMPION);
      if (!champion) throw new NoChampionError(model);
      const { artifact } = await getModelVersion(tx, model, champion.version);
      const at = clock.now();
      const precomputation = await createPrecomputation(tx, {
        id: ids.next(),
        model,
        version: champion.version,
        artifact,
        keys: keys ?? null,
        cause: 'request',
        requestedBy: by,
        createdAt: at,
      });
      const details = { precomputation: precomputation.id, version: champion.version, keys: keys ?? null };
      const subject = `model:${model}`;
      recordChange(tx, { at, by, action: 'precomputation.started', subject, details, origin });
      return precomputation;
    });
  }

  /**
   * Ends a precomputation that is under way; what answers now goes on answering. One that has ended is told as it is.
   * @throws NotFoundError
   */
  async cancel({
    model,
    id: name,
    by,
    origin,
  }: Requester & { model: string; id: string }): Promise<Precomputation> {
    const { database, clock } = this.#dependencies;
    const id = parseId('precomputation', name);
    return transaction(database, async (tx) => {
      await getPrecomputation(tx, model, id);
      const at = clock.now();
      if (await endPrecomputation(tx, id, { state: 'cancelled', at })) {
        const details = { precomputation: name };
        const subject = `model:${model}`;
        recordChange(tx, { at, by, action: 'precomputation.cancelled', subject, details, origin });
      }
      return getPrecomputation(tx, model, id);
    });
  }

  async #checkCondition(model: string, sql: string): Promise<void> {
    const { orm } = this.#dependencies.database;
    const champion = await findAlias(orm, model, CHAMPION);
    if (!champion) throw new NoChampionError(model);
    const { signature } = await getModelVersion(orm, model, champion.version);
    const condition = await KeyCondition.open({ model, sql, columns: signature.inputs });
    condition.close();
  }
}
