import {
  InvalidRequestError,
  MAX_INSTANCES,
  PerennialError,
  durationMilliseconds,
  type Instance,
  type PredictResponse,
  type ServingSpec,
} from '@perennial/contract';
import {
  EntitiesUnknownError,
  InvalidInstanceError,
  ModeNotServedError,
  PrecomputedMissingError,
} from '../errors.ts';
import { isStorableText } from '../instances/column-reader.ts';
import type { ChampionTable } from '../models/champion-table.ts';
import type { ServedModels } from '../models/served-models.ts';
import type { PredictionRequest } from '../online/prediction-service.ts';
import type { Predictor } from '../online/predictor.ts';
import type { EntityFeatures, KnownEntity } from './entity-features.ts';
import type { KeptAnswer } from './precomputed-answers.ts';
import type { PredictionLookups, RecordedRow, UsableAnswers } from './prediction-lookups.ts';

export interface HybridPredictionsOptions {
  /** What computes answers. */
  online: Predictor;
  table: Pick<ChampionTable, 'servingOf'>;
  models: Pick<ServedModels, 'hold'>;
  lookups: PredictionLookups;
  entities: EntityFeatures;
}

type Answer = PredictResponse['predictions'][number];

/** How long a row of an entity may be in memory where the pipeline does not say. */
const FEATURES_MAX_AGE_MILLISECONDS = 60_000;

/**
 * One endpoint for answers that are computed when asked for and those that were computed before. A row that brings its features is computed; one that brings its key alone is answered
 * from what was computed before, where the model is served that way and there is an answer, and otherwise computed from the entity's last known row.
 */
export class HybridPredictions implements Predictor {
  readonly #options: HybridPredictionsOptions;

  constructor(options: HybridPredictionsOptions) {
    this.#options = options;
  }

  /**
   * @throws what computing throws
   * @throws ModeNotServedError for features where the model answers by key alone
   * @throws EntitiesUnknownError, PrecomputedMissingError for keys of which too little is known
   */
  async predict(asked: PredictionRequest): Promise<PredictResponse> {
    const { online, table } = this.#options;
    const { instances, keys } = asked.request;
    const serving = table.servingOf(asked.model);
    const isByKey = keys !== undefined && (instances.length === 0 || instances.includes(null));
    if (!isByKey && serving.modes.includes('online')) return online.predict(asked);
    if (!isByKey) throw new ModeNotServedError(asked.model, 'online');
    return this.#predictByKey(asked, rowsOf(instances, keys), serving);
  }

  async #predictByKey(
    asked: PredictionRequest,
    rows: readonly Row[],
    serving: ServingSpec,
  ): Promise<PredictResponse> {
    const { model } = asked;
    const started = performance.now();
    const byKey = rows.filter(({ instance }) => instance === null).map(({ key }) => key);
    const offline = serving.modes.includes('offline');
    const kept = offline ? await this.#lookUp(model, byKey, serving) : undefined;
    const isKept = (row: Row) => row.instance === null && kept?.answers.has(row.key) === true;
    const rest = rows.filter((row) => !isKept(row));
    if (rest.length > 0) requireOnline(model, serving, rest);
    const live = rest.length > 0 ? await this.#compute(asked, rest, serving) : undefined;
    const given = await this.#give(model, rows.filter(isKept), { kept, started });
    return merged(model, { rows, isKept, live, given });
  }

  /** While the database is away, what is not in memory is computed where it can be. */
  async #lookUp(
    model: string,
    keys: readonly string[],
    { modes }: ServingSpec,
  ): Promise<UsableAnswers | undefined> {
    try {
      return await this.#options.lookups.find(model, keys);
    } catch (error) {
      const away = error instanceof PerennialError && error.transient;
      if (!away || !modes.includes('online')) throw error;
      return undefined;
    }
  }

  async #give(
    model: string,
    rows: readonly Row[],
    { kept, started }: { kept: UsableAnswers | undefined; started: number },
  ) {
    if (kept === undefined || rows.length === 0) return { version: undefined, answers: [] };
    const recorded = rows.map(({ key }): RecordedRow => ({
      key,
      answer: kept.answers.get(key) as KeptAnswer,
    }));
    const { version } = kept;
    const found = await this.#options.lookups.record(model, { version, rows: recorded, started });
    const answers = found.map(({ id, output, mode, ageSeconds, featuresAt }): Answer => ({
      id,
      output,
      mode,
      ageSeconds,
      featuresAt,
    }));
    return { version, answers };
  }

  /** Computes rows, those that bring their key alone from the entity's last known row. */
  async #compute(
    asked: PredictionRequest,
    rows: readonly Row[],
    serving: ServingSpec,
  ): Promise<PredictResponse> {
    const { model } = asked;
    const known = await this.#entities(model, rows, serving);
    const keys = rows.map(({ key }) => key);
    for (let tries = 1; ; tries++) {
      const { version, columns } = await this.#columnsOf(model);
      const instances = rows.map(({ key, instance }) => instance ?? projected(known.get(key), columns));
      try {
        const answer = await this.#options.online.predict({ ...asked, request: { instances, keys } });
        return { ...answer, predictions: withTimes(answer.predictions, rows, known) };
      } catch (error) {
        // The champion may have moved between the look at its columns and the prediction, to a version that reads others.
        const moved =
          error instanceof InvalidInstanceError && (await this.#columnsOf(model)).version !== version;
        if (!moved || tries === 3) throw error;
      }
    }
  }

  /** @throws EntitiesUnknownError, InvalidRequestError where the model keeps no rows of entities */
  async #entities(
    model: string,
    rows: readonly Row[],
    { modes, cache }: ServingSpec,
  ): Promise<Map<string, KnownEntity>> {
    const keys = [...new Set(rows.filter(({ instance }) => instance === null).map(({ key }) => key))];
    if (keys.length === 0) return new Map();
    if (cache?.features === undefined && !modes.includes('offline')) {
      // Of a model that is not there, that is what there is to say.
      await this.#columnsOf(model);
      const path = 'instances';
      const message =
        'must hold the features of every row: the model keeps no rows of entities (serving.cache.features of its pipeline)';
      throw new InvalidRequestError(`${path} ${message}.`, [{ path, message }]);
    }
    const maxAge =
      cache?.features === undefined
        ? FEATURES_MAX_AGE_MILLISECONDS
        : durationMilliseconds(cache.features.maxAge);
    const known = await this.#options.entities.find(model, keys, maxAge);
    const unknown = keys.filter((key) => !known.has(key));
    if (unknown.length > 0) throw new EntitiesUnknownError(model, unknown);
    return known;
  }

  async #columnsOf(model: string): Promise<{ version: number; columns: readonly string[] }> {
    const served = await this.#options.models.hold(model);
    try {
      return { version: served.champion.version, columns: served.columns };
    } finally {
      served.release();
    }
  }
}

interface Row {
  key: string;
  /** Null where the row brings its key alone. */
  instance: unknown;
}

/** @throws InvalidRequestError */
function rowsOf(instances: readonly unknown[], keys: readonly string[]): Row[] {
  const rows = instances.length === 0 ? keys.length : instances.length;
  if (keys.length !== rows || rows === 0 || rows > MAX_INSTANCES) {
    const message =
      instances.length === 0
        ? `must be 1 to ${MAX_INSTANCES}, not ${keys.length}`
        : `must be as many as the ${rows} instances, not ${keys.length}`;
    throw new InvalidRequestError(`keys ${message}.`, [{ path: 'keys', message }]);
  }
  const unstorable = keys.findIndex((key) => !isStorableText(key));
  if (unstorable !== -1) {
    const path = `keys[${unstorable}]`;
    const message = 'must be without NUL characters and unpaired surrogates';
    throw new InvalidRequestError(`${path} ${message}.`, [{ path, message }]);
  }
  return keys.map((key, row) => ({ key, instance: instances[row] ?? null }));
}

/** @throws ModeNotServedError, PrecomputedMissingError */
function requireOnline(model: string, { modes }: ServingSpec, rest: readonly Row[]): void {
  if (modes.includes('online')) return;
  if (rest.some(({ instance }) => instance !== null)) throw new ModeNotServedError(model, 'online');
  const keys = rest.map(({ key }) => key);
  const more = keys.length > 1 ? ` and ${keys.length - 1} others` : '';
  throw new PrecomputedMissingError(
    model,
    `has no answer that may be given for '${keys[0]?.slice(0, 120)}'${more}`,
    keys,
  );
}

/** Of a row what the version reads: it may be of a dataset with other columns beside. */
function projected(entity: KnownEntity | undefined, columns: readonly string[]): Instance {
  const features = entity?.features ?? {};
  return Object.fromEntries(
    columns.filter((name) => Object.hasOwn(features, name)).map((name) => [name, features[name] ?? null]),
  );
}

function withTimes(
  predictions: readonly Answer[],
  rows: readonly Row[],
  known: ReadonlyMap<string, KnownEntity>,
): Answer[] {
  return predictions.map((prediction, index) => {
    const row = rows[index];
    const entity = row?.instance === null ? known.get(row.key) : undefined;
    return entity === undefined ? prediction : { ...prediction, featuresAt: entity.at };
  });
}

interface Parts {
  rows: readonly Row[];
  isKept: (row: Row) => boolean;
  live: PredictResponse | undefined;
  given: { version: number | undefined; answers: readonly Answer[] };
}

/** The rows in the order that they were asked for. Of two versions, the one that is computed with is the response's, and the others' rows say theirs. */
function merged(model: string, { rows, isKept, live, given }: Parts): PredictResponse {
  const version = live?.version ?? given.version ?? 0;
  const own = given.version === undefined || given.version === version ? {} : { version: given.version };
  const computed = live?.predictions[Symbol.iterator]();
  const looked = given.answers[Symbol.iterator]();
  const predictions = rows.map((row): Answer => {
    if (isKept(row)) return { ...(looked.next().value as Answer), ...own };
    return computed?.next().value as Answer;
  });
  return { model, version, predictions };
}
