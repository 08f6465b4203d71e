import {
  InvalidRequestError,
  parseId,
  type Clock,
  type GroundTruthItem,
  type GroundTruthResponse,
  type IdGenerator,
} from '@perennial/contract';
import {
  getModel,
  insertGroundTruth,
  modelsOfPredictions,
  predictedKeys,
  type Database,
  type NewGroundTruth,
} from '@perennial/storage';
import { UnknownPredictionsError } from './errors.ts';
import { checkLabels } from './label-check.ts';
import { signatureReader } from './signatures.ts';

export interface GroundTruthDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  /** Ships every prediction acknowledged so far to the database, so that a fact may follow its prediction at once. */
  flushPredictions: () => Promise<void>;
}

/** A fact whose model is known. */
interface PlacedItem {
  item: GroundTruthItem;
  model: string;
  predictionId: string | null;
  key: string | null;
}

/**
 * Takes facts in, all or none. A fact by prediction id must name a prediction that was made; a fact by model and key may come before its
 * prediction and waits for it. Repeating a fact is harmless: the newest counts.
 */
export class GroundTruthLog {
  readonly #dependencies: GroundTruthDependencies;

  constructor(dependencies: GroundTruthDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * @throws UnknownPredictionsError, NotFoundError (model), LabelMismatchError, InvalidRequestError
   */
  async record(items: GroundTruthItem[], receivedBy: string): Promise<GroundTruthResponse> {
    const { database, clock, ids } = this.#dependencies;
    const placed = await this.#place(items);
    await checkLabels(placed, signatureReader(database.orm));
    const receivedAt = clock.now();
    const facts = placed.map(({ item, model, predictionId, key }): NewGroundTruth => ({
      id: ids.next(),
      model,
      predictionId,
      key,
      label: item.label,
      observedAt: item.observedAt === undefined ? receivedAt : new Date(item.observedAt),
      receivedAt,
      receivedBy,
    }));
    await insertGroundTruth(database.orm, facts);
    return { accepted: facts.length, pending: await this.#countPending(facts) };
  }

  async #place(items: GroundTruthItem[]): Promise<PlacedItem[]> {
    const ids = items.flatMap((item) =>
      'prediction' in item ? [parseId('prediction', item.prediction)] : [],
    );
    const models = await this.#modelsOf([...new Set(ids)]);
    await this.#checkModels(items);
    return items.map((item): PlacedItem => {
      if (!('prediction' in item)) return { item, model: item.model, predictionId: null, key: item.key };
      const predictionId = parseId('prediction', item.prediction);
      const model = models.get(predictionId);
      if (model === undefined)
        throw new InvalidRequestError('A prediction vanished while its fact was recorded.');
      return { item, model, predictionId, key: null };
    });
  }

  /** Looks in the database; what is not there may still be in the local journal, which is shipped before it is called unknown. */
  async #modelsOf(ids: string[]): Promise<Map<string, string>> {
    const { database, flushPredictions } = this.#dependencies;
    let found = await modelsOfPredictions(database.orm, ids);
    if (found.size < ids.length) {
      await flushPredictions();
      found = await modelsOfPredictions(database.orm, ids);
    }
    const unknown = ids.filter((id) => !found.has(id));
    if (unknown.length > 0) throw new UnknownPredictionsError(unknown);
    return found;
  }

  async #checkModels(items: GroundTruthItem[]): Promise<void> {
    const names = new Set(items.flatMap((item) => ('model' in item ? [item.model] : [])));
    for (const name of names) await getModel(this.#dependencies.database.orm, name);
  }

  /** Facts whose key has had no prediction; the journal is shipped before one is called so. */
  async #countPending(facts: NewGroundTruth[]): Promise<number> {
    const keysByModel = new Map<string, string[]>();
    for (const { model, key } of facts) {
      if (key === null) continue;
      const keys = keysByModel.get(model);
      if (keys === undefined) keysByModel.set(model, [key]);
      else keys.push(key);
    }
    const pending = await this.#countUnpredicted(keysByModel);
    if (pending === 0) return 0;
    await this.#dependencies.flushPredictions();
    return this.#countUnpredicted(keysByModel);
  }

  async #countUnpredicted(keysByModel: Map<string, string[]>): Promise<number> {
    const { database, clock } = this.#dependencies;
    let count = 0;
    for (const [model, keys] of keysByModel) {
      const asked = { model, keys: [...new Set(keys)], now: clock.now() };
      const predicted = await predictedKeys(database.orm, asked);
      count += keys.filter((key) => !predicted.has(key)).length;
    }
    return count;
  }
}
