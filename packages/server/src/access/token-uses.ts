export interface TokenUsesOptions {
  /** Writes down when tokens, by their plain ids, were last used. */
  record: (uses: readonly { id: string; at: Date }[]) => Promise<void>;
  onProblem?: (error: unknown) => void;
}

const MINUTE_MILLISECONDS = 60_000;

/** When tokens were last used, to the minute; held in memory and written once a minute, so that a request costs a look into a map and no write. */
export class TokenUses {
  readonly #options: TokenUsesOptions;
  readonly #timer: NodeJS.Timeout;
  #minutes = new Map<string, number>();

  constructor(options: TokenUsesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), MINUTE_MILLISECONDS).unref();
  }

  note(id: string, now: Date): void {
    this.#minutes.set(id, Math.floor(now.getTime() / MINUTE_MILLISECONDS));
  }

  /** Writes what is not written yet; what cannot be written now is tried again with the next minute. */
  async flush(): Promise<void> {
    const minutes = this.#minutes;
    if (minutes.size === 0) return;
    this.#minutes = new Map();
    try {
      await this.#options.record(
        Array.from(minutes, ([id, minute]) => ({ id, at: new Date(minute * MINUTE_MILLISECONDS) })),
      );
    } catch (error) {
      this.#options.onProblem?.(error);
      for (const [id, minute] of minutes) if (!this.#minutes.has(id)) this.#minutes.set(id, minute);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }
}
