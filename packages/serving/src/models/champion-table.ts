import { DEFAULT_SERVING, type ServingSpec } from '@perennial/contract';
import { systemDelay, type Delay } from '../waiting/delay.ts';
import { WakeSignal } from '../waiting/wake-signal.ts';
import { ChampionSnapshot } from './champion-snapshot.ts';
import type { Champion, ChampionVersion } from './champion.ts';

export interface ChampionTableOptions {
  /** Where the last known champions are kept on the local disk. */
  snapshotFile: string;
  /** Every model with its champion, from the database. */
  loadChampions: () => Promise<readonly Champion[]>;
  /**
   * Calls the handler whenever an alias may have moved, also after a lost connection came back; answers how to end that.
   * Tried again with every poll until it succeeds.
   */
  subscribe: (handler: () => void) => Promise<() => Promise<void>>;
  /** How often the table is loaded although nothing was heard, in milliseconds: a notification can be lost. @default 15000 */
  pollMilliseconds?: number;
  /** @default the machine's timer */
  delay?: Delay;
  /** Called when the table cannot be loaded, subscribed to or saved; it goes on with what it has. */
  onProblem?: (error: unknown) => void;
}

/** Told of the models that were loaded anew; null for all. */
export type LoadedListener = (changed: readonly string[] | null) => void;

/** Least time between two loads that were asked for because a model was not known. */
const MISS_MILLISECONDS = 1_000;

/** Which version of each model is in production, in memory. Asking never waits; changes arrive by notification and by a slow poll. */
export class ChampionTable {
  readonly #options: ChampionTableOptions;
  readonly #snapshot: ChampionSnapshot;
  readonly #delay: Delay;
  readonly #wake = new WakeSignal();
  readonly #listeners = new Set<LoadedListener>();
  #champions = new Map<string, Champion>();
  #unsubscribe: (() => Promise<void>) | null = null;
  #stopping = false;
  #nextMissLoad = 0;
  #missLoad: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ChampionTableOptions) {
    this.#options = options;
    this.#snapshot = new ChampionSnapshot(options.snapshotFile);
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
   * told that there is none because the announcement is still on its way. Asked at most once a second, so that requests for models that do not
   * exist cost the database nothing to speak of.
   */
  async findOrLoad(model: string): Promise<ChampionVersion | null | undefined> {
    const known = this.find(model);
    if (known) return known;
    await this.#loadForMiss();
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
    this.#replace(await this.#options.loadChampions());
    await this.#snapshot.save(this.list()).catch((error: unknown) => this.#report(error));
  }

  async close(): Promise<void> {
    this.#stopping = true;
    this.#wake.call();
    await this.#running;
    await this.#unsubscribe?.().catch((error: unknown) => this.#report(error));
  }

  async #loadFirst(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      const champions = await this.#snapshot.load();
      if (champions === undefined) throw error;
      this.#report(error);
      this.#replace(champions);
    }
  }

  async #keepFresh(): Promise<void> {
    const poll = this.#options.pollMilliseconds ?? 15_000;
    while (!this.#stopping) {
      await this.#wake.sleep((signal) => this.#delay(poll, signal));
      if (this.#stopping) return;
      if (this.#unsubscribe === null) await this.#trySubscribe();
      await this.refresh().catch((error: unknown) => this.#report(error));
    }
  }

  /** Requests that miss at the same time share one load; one that fails is no reason to refuse: the table stays as it is. */
  #loadForMiss(): Promise<void> {
    const now = performance.now();
    if (now >= this.#nextMissLoad) {
      this.#nextMissLoad = now + MISS_MILLISECONDS;
      this.#missLoad = this.refresh().catch((error: unknown) => this.#report(error));
    }
    return this.#missLoad;
  }

  async #trySubscribe(): Promise<void> {
    try {
      this.#unsubscribe = await this.#options.subscribe(() => this.#wake.call());
    } catch (error) {
      this.#report(error);
    }
  }

  /**
   * Takes what was loaded, except where it is older than what is known: two loads under way at once may arrive in the wrong order, and a
   * champion must not flicker back.
   */
  #replace(champions: readonly Champion[]): void {
    const next = new Map<string, Champion>();
    for (const loaded of champions) {
      const known = this.find(loaded.model);
      const stale = known && loaded.champion && known.revision > loaded.champion.revision;
      next.set(loaded.model, stale ? { ...loaded, champion: known } : loaded);
    }
    this.#champions = next;
    for (const listener of this.#listeners) listener(null);
  }

  #report(error: unknown): void {
    this.#options.onProblem?.(error);
  }
}
