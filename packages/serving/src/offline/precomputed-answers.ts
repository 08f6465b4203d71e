import { predictionOutputSchema, type PredictionOutput } from '@perennial/contract';
import { findPrecomputed, type Database, type PrecomputedRow } from '@perennial/storage';
import type { ChampionTable } from '../models/champion-table.ts';
import { ByteBoundedMap } from './byte-bounded-map.ts';
import { KeyGatherer } from './key-gatherer.ts';

/** An answer that was computed before. */
export interface KeptAnswer {
  output: PredictionOutput;
  /** What it was computed from, as JSON. */
  features: string;
  featuresAt: string;
  computedAt: string;
  computedAtMilliseconds: number;
}

/** The answers of one precomputation for the keys that were asked for. */
export interface FoundAnswers {
  /** Plain id of the precomputation. */
  id: string;
  version: number;
  /** Null for a key that it has no answer for. */
  answers: Map<string, KeptAnswer | null>;
}

export interface PrecomputedAnswersOptions {
  table: Pick<ChampionTable, 'precomputedOf' | 'onLoaded' | 'list'>;
  database: Pick<Database, 'sql'>;
  /**
   * What answers are kept in memory, all models together.
   * @default 256 MiB
   */
  maxBytes?: number;
}

/** A map's entry, an object of five fields and two instants as text. */
const OVERHEAD_BYTES = 400;

/**
 * The answers that were computed before, looked up by key: from memory, or from the database for all who ask within one turn of the event loop at once. A precomputation's answers never
 * change, so what is in memory stays right until another is put into use, and while the database is away.
 */
export class PrecomputedAnswers {
  readonly #lookups = { hits: 0, misses: 0 };
  readonly #table: PrecomputedAnswersOptions['table'];
  readonly #kept: ByteBoundedMap<KeptAnswer | null>;
  readonly #gatherer: KeyGatherer<PrecomputedRow>;
  readonly #unsubscribe: () => void;
  /** Grows with every erasure: what was asked for before is not kept. */
  #generation = 0;
  /** The precomputations whose answers may be in memory. */
  #live = new Set<string>();

  constructor({ table, database, maxBytes = 256 * 2 ** 20 }: PrecomputedAnswersOptions) {
    this.#table = table;
    this.#kept = new ByteBoundedMap(maxBytes);
    this.#gatherer = new KeyGatherer((id, keys) => findPrecomputed(database, id, keys));
    this.#live = this.#liveNow();
    this.#unsubscribe = table.onLoaded(() => this.#dropReplaced());
  }

  /** Keys that were in memory and those that were not, and how often the database was asked. */
  get counters(): { hits: number; misses: number; questions: number } {
    return { ...this.#lookups, questions: this.#gatherer.counters.questions };
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  /**
   * The answers for some keys, all of the precomputation that is in use when they are asked for; undefined where none is.
   * @throws DatabaseUnavailableError when the database is away and not all of them are in memory
   */
  async find(model: string, keys: readonly string[]): Promise<FoundAnswers | undefined> {
    const live = this.#table.precomputedOf(model);
    if (live === null) return undefined;
    const found = await this.#findIn(live, keys);
    const now = this.#table.precomputedOf(model);
    // One that was replaced meanwhile may have lost answers since: those of its successor are looked up instead.
    const replaced = now !== null && now.id !== live.id;
    return replaced && hasGaps(found) ? this.#findIn(now, keys) : found;
  }

  /** Forgets everything: something that may be in memory was erased. */
  clear(): void {
    this.#generation++;
    this.#kept.clear();
  }

  close(): void {
    this.#unsubscribe();
  }

  async #findIn(live: { id: string; version: number }, keys: readonly string[]): Promise<FoundAnswers> {
    const answers = new Map<string, KeptAnswer | null>();
    const missing: string[] = [];
    for (const key of keys) {
      const kept = this.#kept.get(placeOf(live.id, key));
      if (kept === undefined) missing.push(key);
      else answers.set(key, kept);
    }
    this.#lookups.hits += answers.size;
    if (missing.length === 0) return { ...live, answers };
    this.#lookups.misses += missing.length;
    const generation = this.#generation;
    const rows = await this.#gatherer.ask(live.id, missing);
    for (const key of missing) {
      const row = rows.get(key);
      const answer = row === undefined ? null : answerOf(row);
      answers.set(key, answer);
      if (generation === this.#generation) this.#keep(live.id, key, answer);
    }
    return { ...live, answers };
  }

  #keep(id: string, key: string, answer: KeptAnswer | null): void {
    const place = placeOf(id, key);
    const text = answer === null ? 0 : answer.features.length * 3;
    this.#kept.set(place, answer, OVERHEAD_BYTES + place.length + text);
  }

  /** When a precomputation is put into use the answers of the one before are of no more use. */
  #dropReplaced(): void {
    const live = this.#liveNow();
    const gone = [...this.#live].some((id) => !live.has(id));
    this.#live = live;
    if (gone) void this.#kept.deleteWhere((place) => !live.has(place.slice(0, UUID_LENGTH)));
  }

  #liveNow(): Set<string> {
    return new Set(this.#table.list().flatMap(({ precomputed }) => (precomputed ? [precomputed.id] : [])));
  }
}

const UUID_LENGTH = 36;

function placeOf(id: string, key: string): string {
  return id + key;
}

function hasGaps({ answers }: FoundAnswers): boolean {
  for (const answer of answers.values()) if (answer === null) return true;
  return false;
}

function answerOf({ output, features, featuresAt, computedAt }: PrecomputedRow): KeptAnswer {
  return {
    output: predictionOutputSchema.parse(JSON.parse(output)),
    features,
    featuresAt: featuresAt.toISOString(),
    computedAt: computedAt.toISOString(),
    computedAtMilliseconds: computedAt.getTime(),
  };
}
