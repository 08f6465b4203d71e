import { DEFAULT_SERVING, type ServingSpec } from '@perennial/contract';
import { systemDelay, type Delay } from '../waiting/delay.ts';
import { WakeSignal } from '../waiting/wake-signal.ts';
import { ChampionSnapshot } from './champion-snapshot.ts';
import { sameChampion, type Champion, type ChampionVersion } from './champion.ts';
import { MissLookup } from './miss-lookup.ts';

export interface ChampionTableOptions {
  /** Where the last known champions are kept on the local disk. */
  snapshotFile: string;
  /** Models with their champions, from the database: those that are named, every one for null. */
  loadChampions: (models: readonly string[] | null) => Promise<readonly Champion[]>;
  /**
   * Calls the handler with the model whose alias has moved, or with null where it may have been any, as after a lost connection came back; answers how to
   * end that. Tried again with every poll until it succeeds.
   */
  subscribe: (handler: (model: string | null) => void) => Promise<() => Promise<void>>;
  /** How often the table is loaded although nothing was heard, in milliseconds: a notification can be lost. @default 15000 */
  pollMilliseconds?: number;
  /** @default the machine's timer */
  delay?: Delay;
  /** Called when the table cannot be loaded, subscribed to or saved; it goes on with what it has. */
  onProblem?: (error: unknown) => void;
}

/** Told of the models that were loaded anew; null for all. */
export type LoadedListener = (changed: readonly string[] | null) => void;

const POLL_MILLISECONDS = 15_000;
/** From so many models on, the whole table is loaded at once. */
const MANY = 500;

/**
 * Which version of each model is in production, in memory. Asking never waits; changes arrive by notification, each loading the model it names, and by a slow poll of
 * everything.
 */
export class ChampionTable {
  readonly #options: ChampionTableOptions;
  readonly #snapshot: ChampionSnapshot;
  readonly #delay: Delay;
  readonly #wake = new WakeSignal();
  readonly #listeners = new Set<LoadedListener>();
  readonly #champions = new Map<string, Champion>();
  #unsubscribe: (() => Promise<void>) | null = null;
  #stopping = false;
  readonly #misses: MissLookup;
  /** Models that are to be loaded next; null for all. */
  #changed: Set<string> | null = new Set();
  #nextPoll = 0;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ChampionTableOptions) {
    this.#options = options;
    this.#snapshot = new ChampionSnapshot({
      path: options.snapshotFile,
      list: () => this.list(),
      onProblem: (error) => this.#report(error),
    });
    // One that fails is no reason to refuse: the table stays as it is.
    this.#misses = new MissLookup((models) =>
      this.#loadSome(models).catch((error: unknown) => this.#report(error)),
    );
    this.#delay = options.delay ?? systemDelay;
  }

  /**
   * Loads the table, from the database or, while that is away, from the snapshot of an earlier run; then keeps it fresh.
   * @throws what `loadChampions` throws, when there is no snapshot either
   */
  static async open(options: ChampionTableOptions): Promise<ChampionTable> {
    const table = new ChampionTable(options);
    await table.#trySubscribe();
    await table.#loadFirst();
    table.#running = table.#keepFresh();
    return table;
  }

  /** The champion of a model; null when it has none, undefined when there is no such model. */
  find(model: string): ChampionVersion | null | undefined {
    return this.#champions.get(model)?.champion;
  }

  /** How a model is served, as far as is known; the default way where there is no such model. */
  servingOf(model: string): ServingSpec {
    return this.#champions.get(model)?.serving ?? DEFAULT_SERVING;
  }

  /** The table of precomputed answers that is given out for a model now; null when there is none. */
  precomputedOf(model: string): { id: string; version: number } | null {
    return this.#champions.get(model)?.precomputed ?? null;
  }

  /**
   * As `find`, but what is not known, or has no champion, is looked for in the database first: whoever has just seen a version go live must not be
   * told that there is none because the announcement is still on its way. Asked at most once a second: see {@link MissLookup}.
   */
  async findOrLoad(model: string): Promise<ChampionVersion | null | undefined> {
    const known = this.find(model);
    if (known) return known;
    await this.#misses.look(model);
    return this.find(model);
  }

  /** Every model with its champion. */
  list(): Champion[] {
    return [...this.#champions.values()];
  }

  /** Calls the listener each time the table was loaded, wholly or in part, until the returned function is called. */
  onLoaded(listener: LoadedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Loads the table now: for who has just moved an alias and wants the move served when this resolves. */
  async refresh(): Promise<void> {
    await this.#loadAll();
    await this.#snapshot.save();
  }

  async close(): Promise<void> {
    this.#stopping = true;
    this.#wake.call();
    await this.#running;
    await this.#unsubscribe?.().catch((error: unknown) => this.#report(error));
    await this.#snapshot.close();
  }

  async #loadFirst(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      const champions = await this.#snapshot.load();
      if (champions === undefined) throw error;
      this.#report(error);
      this.#take(champions, null);
    }
  }

  async #keepFresh(): Promise<void> {
    const poll = this.#options.pollMilliseconds ?? POLL_MILLISECONDS;
    while (!this.#stopping) {
      await this.#wake.sleep((signal) => this.#delay(poll, signal));
      if (this.#stopping) return;
      if (this.#unsubscribe === null) await this.#trySubscribe();
      await this.#loadChanged().catch((error: unknown) => {
        // What was announced is not announced again.
        this.#changed = null;
        this.#report(error);
      });
    }
  }

  /** Loads what was announced; everything where that may be anything, and from time to time, however much is announced. */
  async #loadChanged(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    const some = changed !== null && changed.size > 0 && changed.size <= MANY;
    if (!some || performance.now() >= this.#nextPoll) return this.#loadAll();
    return this.#loadSome([...changed]);
  }

  async #loadAll(): Promise<void> {
    this.#nextPoll = performance.now() + (this.#options.pollMilliseconds ?? POLL_MILLISECONDS);
    this.#take(await this.#options.loadChampions(null), null);
  }

  async #loadSome(models: readonly string[]): Promise<void> {
    this.#take(await this.#options.loadChampions(models), models);
  }

  #announced(model: string | null): void {
    if (model === null) this.#changed = null;
    else this.#changed?.add(model);
    this.#wake.call();
  }

  async #trySubscribe(): Promise<void> {
    try {
      this.#unsubscribe = await this.#options.subscribe((model) => this.#announced(model));
    } catch (error) {
      this.#report(error);
    }
  }

  /**
   * Takes what was loaded, except where it is older than what is known: two loads under way at once may arrive in the wrong order, and a
   * champion must not flicker back.
   * @param asked the models that were asked for, of which those that are not there are gone; null for all
   */
  #take(loaded: readonly Champion[], asked: readonly string[] | null): void {
    const found = new Map(loaded.map((champion) => [champion.model, this.#newer(champion)]));
    const before = asked ?? [...this.#champions.keys()];
    let changed = false;
    for (const model of before) if (!found.has(model)) changed = this.#champions.delete(model) || changed;
    for (const [model, champion] of found) {
      if (sameChampion(champion, this.#champions.get(model))) continue;
      this.#champions.set(model, champion);
      changed = true;
    }
    if (changed || this.#snapshot.failed) this.#snapshot.saveSoon();
    for (const listener of this.#listeners) listener(asked);
  }

  #newer(loaded: Champion): Champion {
    const known = this.find(loaded.model);
    const stale = known && loaded.champion && known.revision > loaded.champion.revision;
    return stale ? { ...loaded, champion: known } : loaded;
  }

  #report(error: unknown): void {
    this.#options.onProblem?.(error);
  }
}
