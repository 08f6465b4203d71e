import {
  NotFoundError,
  durationMilliseconds,
  formatId,
  type Clock,
  type IdGenerator,
  type Instance,
  type Lookup,
  type LookupsResponse,
} from '@perennial/contract';
import { ModeNotServedError, PrecomputedMissingError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { recordPolicyOf } from '../journal/record-policy.ts';
import type { ChampionTable } from '../models/champion-table.ts';
import type { KeptAnswer, PrecomputedAnswers } from './precomputed-answers.ts';

export interface PredictionLookupsOptions {
  table: Pick<ChampionTable, 'servingOf' | 'findOrLoad' | 'precomputedOf'>;
  answers: PrecomputedAnswers;
  /** Where answers are put on record before they are given; null to keep none. */
  journal: Pick<Journal, 'append'> | null;
  ids: IdGenerator;
  clock: Clock;
}

/** Answers that may be given, by key, all of one version. */
export interface UsableAnswers {
  version: number;
  answers: Map<string, KeptAnswer>;
}

/** Gives out answers that were computed before they were asked for. Each is on record first, under an id of its own. Knows no transport. */
export class PredictionLookups {
  readonly #options: PredictionLookupsOptions;

  constructor(options: PredictionLookupsOptions) {
    this.#options = options;
  }

  /**
   * The answer for one entity.
   * @throws NotFoundError when there is no such model; ModeNotServedError
   * @throws PrecomputedMissingError when there is no answer, or it is too old to be given
   * @throws DatabaseUnavailableError, and what the journal throws, when it may succeed later
   */
  async lookup(model: string, key: string): Promise<Lookup> {
    const started = performance.now();
    const { version, answers } = await this.#usable(model, [key]);
    const answer = answers.get(key);
    if (answer === undefined) throw await this.#missing(model, key);
    const [found] = await this.record(model, { version, rows: [{ key, answer }], started });
    return found as Lookup;
  }

  /** The answers for some entities, in the order of the keys, all of one version. @throws as `lookup`, but keys without an answer are listed */
  async lookupAll(model: string, keys: readonly string[]): Promise<LookupsResponse> {
    const started = performance.now();
    const { version, answers } = await this.#usable(model, keys);
    const missing: string[] = [];
    const rows: RecordedRow[] = [];
    for (const key of keys) {
      const answer = answers.get(key);
      if (answer === undefined) missing.push(key);
      else rows.push({ key, answer });
    }
    return { model, version, predictions: await this.record(model, { version, rows, started }), missing };
  }

  /** The answers that may be given for some keys; undefined where no precomputation is in use. Nothing is put on record. */
  async find(model: string, keys: readonly string[]): Promise<UsableAnswers | undefined> {
    const found = await this.#options.answers.find(model, keys);
    if (found === undefined) return undefined;
    const maxAge = this.#options.table.servingOf(model).precompute?.maxAge;
    const oldest = maxAge === undefined ? -Infinity : this.#now() - durationMilliseconds(maxAge);
    const answers = new Map<string, KeptAnswer>();
    for (const [key, answer] of found.answers)
      if (answer !== null && answer.computedAtMilliseconds >= oldest) answers.set(key, answer);
    return { version: found.version, answers };
  }

  /** Puts answers on record as they are given out: what the endpoint's policy keeps of them. */
  async record(
    model: string,
    { version, rows, started }: { version: number; rows: readonly RecordedRow[]; started: number },
  ): Promise<Lookup[]> {
    const { ids, journal, clock, table } = this.#options;
    const serving = table.servingOf(model);
    const policy = recordPolicyOf(serving);
    const redacts = (serving.record?.redact?.length ?? 0) > 0;
    const now = clock.now();
    const latency = Math.round((performance.now() - started) * 1_000);
    const same = `"version":${version},"endpoint":"${model}"`;
    const end = `"mode":"precomputed","latencyMicroseconds":${latency},"at":"${now.toISOString()}"}`;
    const records: string[] = [];
    const given = rows.map(({ key, answer }): Lookup => {
      const id = ids.next();
      const { output, features, featuresAt, computedAt, computedAtMilliseconds } = answer;
      if (journal !== null && policy.keeps(id)) {
        // As `encodePrediction` has it, with the features as they came from the database: they are not parsed on their way through.
        const kept = redacts ? JSON.stringify(policy.features(JSON.parse(features) as Instance)) : features;
        records.push(
          `{"id":"${id}","model":"${model}",${same},"key":${JSON.stringify(key)},"features":${kept},"output":${JSON.stringify(output)},${end}`,
        );
      }
      const ageSeconds = Math.max(0, Math.floor((now.getTime() - computedAtMilliseconds) / 1_000));
      return {
        id: formatId('prediction', id),
        model,
        key,
        version,
        output,
        mode: 'precomputed',
        ageSeconds,
        computedAt,
        featuresAt,
      };
    });
    if (records.length > 0) await journal?.append(records, policy.terms);
    return given;
  }

  /** @throws NotFoundError, ModeNotServedError, PrecomputedMissingError where no precomputation is in use */
  async #usable(model: string, keys: readonly string[]): Promise<UsableAnswers> {
    const { table } = this.#options;
    if (!table.servingOf(model).modes.includes('offline')) {
      if ((await table.findOrLoad(model)) === undefined) throw new NotFoundError('model', model);
      throw new ModeNotServedError(model, 'offline');
    }
    const found = await this.find(model, keys);
    if (found === undefined)
      throw new PrecomputedMissingError(model, 'has no answers that were computed before yet');
    return found;
  }

  async #missing(model: string, key: string): Promise<PrecomputedMissingError> {
    const found = await this.#options.answers.find(model, [key]);
    const named = `'${key.slice(0, 120)}'`;
    const reason = found?.answers.get(key)
      ? `has an answer for ${named}, but it is older than may be given (serving.precompute.maxAge)`
      : `has no answer for ${named}`;
    return new PrecomputedMissingError(model, reason, [key]);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}

export interface RecordedRow {
  key: string;
  answer: KeptAnswer;
}
