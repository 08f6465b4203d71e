import type { LiveToken } from '@perennial/storage';
import { TokenSnapshot } from './token-snapshot.ts';

export interface TokenTableOptions {
  /** Where the last known tokens are kept on the local disk. */
  snapshotFile: string;
  /** Every live token, from the database. */
  loadTokens: () => Promise<readonly LiveToken[]>;
  /** Calls the handler whenever tokens may have changed, also after a lost connection came back; answers how to end that. */
  subscribe: (handler: () => void) => Promise<() => Promise<void>>;
  /** Does the work again and again until the returned function is called. @default every 15 seconds: a notification can be lost */
  repeat?: (work: () => void) => () => void;
  /** Called when the table cannot be loaded, subscribed to or saved; it goes on with what it has. */
  onProblem?: (error: unknown) => void;
}

const POLL_MILLISECONDS = 15_000;

/** Least time between two loads that were asked for because a token was not known. */
const MISS_MILLISECONDS = 1_000;

/**
 * The tokens that may be used, in memory by hash. Asking never waits and needs no database; changes arrive by notification, within milliseconds, and by a slow poll.
 */
export class TokenTable {
  readonly #options: TokenTableOptions;
  readonly #snapshot: TokenSnapshot;
  #tokens = new Map<string, LiveToken>();
  #unsubscribe: (() => Promise<void>) | undefined;
  #stopRepeating: () => void = () => undefined;
  #loading: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #lastMissLoad = -Infinity;
  #closed = false;

  private constructor(options: TokenTableOptions) {
    this.#options = options;
    this.#snapshot = new TokenSnapshot(options.snapshotFile);
  }

  /**
   * Loads the table, from the database or, while that is away, from the snapshot of an earlier run; then keeps it fresh.
   * @throws what `loadTokens` throws, when there is no snapshot either
   */
  static async open(options: TokenTableOptions): Promise<TokenTable> {
    const table = new TokenTable(options);
    await table.#subscribe();
    await table.#loadFirst();
    const repeat = options.repeat ?? everyFifteenSeconds;
    table.#stopRepeating = repeat(() => void table.#keepFresh());
    return table;
  }

  /** The token of a hash; undefined when there is none, or it was revoked. Whether it has expired is for the caller's clock to say. */
  find(hash: string): LiveToken | undefined {
    return this.#tokens.get(hash);
  }

  /**
   * As `find`, but a token that is not known is looked for in the database first: whoever was just given one must not be refused because its announcement is still on
   * its way to this server. Asked at most once a second, so that guesses cost the database nothing to speak of.
   */
  async findOrLoad(hash: string): Promise<LiveToken | undefined> {
    const known = this.find(hash);
    const now = performance.now();
    if (known !== undefined || now - this.#lastMissLoad < MISS_MILLISECONDS) return known;
    this.#lastMissLoad = now;
    await this.#refreshOrReport();
    return this.find(hash);
  }

  /**
   * Loads the table as it is now: for who has just made or revoked a token and wants that to count here when this resolves.
   * @throws what `loadTokens` throws
   */
  refresh(): Promise<void> {
    // A load that is under way may have read before the change that this call is about; those that wait share the one after it.
    this.#next ??= this.#loadAfter(this.#loading);
    return this.#next;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopRepeating();
    await this.#unsubscribe?.().catch((error: unknown) => this.#report(error));
    await (this.#next ?? this.#loading)?.catch(() => undefined);
  }

  async #loadAfter(earlier: Promise<void> | undefined): Promise<void> {
    await earlier?.catch(() => undefined);
    this.#loading = this.#next;
    this.#next = undefined;
    const tokens = await this.#options.loadTokens();
    this.#replace(tokens);
    await this.#snapshot.save(tokens).catch((error: unknown) => this.#report(error));
  }

  async #loadFirst(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      const tokens = await this.#snapshot.load();
      if (tokens === undefined) {
        await this.close();
        throw error;
      }
      this.#report(error);
      this.#replace(tokens);
    }
  }

  async #keepFresh(): Promise<void> {
    if (this.#unsubscribe === undefined) await this.#subscribe();
    await this.#refreshOrReport();
  }

  async #refreshOrReport(): Promise<void> {
    if (this.#closed) return;
    await this.refresh().catch((error: unknown) => this.#report(error));
  }

  async #subscribe(): Promise<void> {
    try {
      this.#unsubscribe = await this.#options.subscribe(() => void this.#refreshOrReport());
    } catch (error) {
      this.#report(error);
    }
  }

  #replace(tokens: readonly LiveToken[]): void {
    this.#tokens = new Map(tokens.map((token) => [token.hash, token]));
  }

  #report(error: unknown): void {
    this.#options.onProblem?.(error);
  }
}

function everyFifteenSeconds(work: () => void): () => void {
  const timer = setInterval(work, POLL_MILLISECONDS).unref();
  return () => clearInterval(timer);
}
