import type { Clock, Instance } from '@perennial/contract';
import { findEntityRows, type Database } from '@perennial/storage';
import { ByteBoundedMap } from './byte-bounded-map.ts';
import { KeyGatherer } from './key-gatherer.ts';

/** The last known row of an entity. */
export interface KnownEntity {
  features: Instance;
  /** When the row happened. */
  at: string;
}

export interface EntityFeaturesOptions {
  database: Pick<Database, 'sql'>;
  clock: Clock;
  /**
   * What rows are kept in memory, all models together.
   * @default 128 MiB
   */
  maxBytes?: number;
}

interface Kept {
  /** Null where the entity is not known. */
  entity: KnownEntity | null;
  readAt: number;
}

/** Of a map's entry and an object, beside the texts; a row's values take about four times their JSON. */
const OVERHEAD_BYTES = 300;

/** The data cache: the last known rows of entities by key, read anew when they have been in memory for too long. While the database is away, old rows go on answering. */
export class EntityFeatures {
  /** `stale`: rows that were answered although they were older than they may be, since the database was away. */
  readonly counters = { hits: 0, misses: 0, stale: 0 };
  readonly #clock: Clock;
  readonly #kept: ByteBoundedMap<Kept>;
  readonly #gatherer: KeyGatherer<{ key: string; features: string; at: Date }>;
  #generation = 0;

  constructor({ database, clock, maxBytes = 128 * 2 ** 20 }: EntityFeaturesOptions) {
    this.#clock = clock;
    this.#kept = new ByteBoundedMap(maxBytes);
    this.#gatherer = new KeyGatherer((model, keys) => findEntityRows(database, model, keys));
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  /**
   * The rows of some entities; those that are not known are left out.
   * @param maxAge how long a row may have been in memory, in milliseconds
   * @throws DatabaseUnavailableError when the database is away and one of them has never been read
   */
  async find(model: string, keys: readonly string[], maxAge: number): Promise<Map<string, KnownEntity>> {
    const now = this.#clock.now().getTime();
    const found = new Map<string, KnownEntity>();
    const old = new Map<string, Kept | undefined>();
    for (const key of keys) {
      const kept = this.#kept.get(placeOf(model, key));
      if (kept === undefined || now - kept.readAt >= maxAge) old.set(key, kept);
      else if (kept.entity !== null) found.set(key, kept.entity);
    }
    this.counters.hits += keys.length - old.size;
    if (old.size > 0) await this.#readAnew(model, old, found);
    return found;
  }

  /** Forgets everything: something that may be in memory was erased. */
  clear(): void {
    this.#generation++;
    this.#kept.clear();
  }

  async #readAnew(
    model: string,
    old: ReadonlyMap<string, Kept | undefined>,
    found: Map<string, KnownEntity>,
  ): Promise<void> {
    this.counters.misses += old.size;
    const generation = this.#generation;
    const rows = await this.#gatherer.ask(model, [...old.keys()]).catch((error: unknown) => {
      if ([...old.values()].includes(undefined)) throw error;
      this.counters.stale += old.size;
      return undefined;
    });
    const readAt = this.#clock.now().getTime();
    for (const [key, kept] of old) {
      const entity = rows === undefined ? (kept?.entity ?? null) : entityOf(rows.get(key));
      if (entity !== null) found.set(key, entity);
      if (rows !== undefined && generation === this.#generation)
        this.#keep(placeOf(model, key), { entity, readAt });
    }
  }

  #keep(place: string, kept: Kept): void {
    const bytes = kept.entity === null ? 0 : JSON.stringify(kept.entity.features).length * 4;
    this.#kept.set(place, kept, OVERHEAD_BYTES + place.length + bytes);
  }
}

/** No model's name has a space. */
function placeOf(model: string, key: string): string {
  return `${model} ${key}`;
}

function entityOf(row: { features: string; at: Date } | undefined): KnownEntity | null {
  if (row === undefined) return null;
  return { features: JSON.parse(row.features) as Instance, at: row.at.toISOString() };
}
