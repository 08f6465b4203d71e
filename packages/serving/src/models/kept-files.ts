import type { ArtifactCache } from './artifact-cache.ts';
import type { VersionVerifier } from './attested-versions.ts';
import type { ServedVersion } from './champion.ts';

export interface KeptFilesOptions {
  artifacts: ArtifactCache;
  verifier: VersionVerifier | null;
  /** What is to be left on the local disk. */
  wanted: () => { model: string; champion: ServedVersion | null }[];
  onProblem?: ((error: unknown) => void) | undefined;
}

/** Least time between two looks through the folders: with 10,000 models each takes some 20 ms, and a promotion is not to cost that. */
const PRUNE_MILLISECONDS = 60_000;

/** What the local disk keeps of versions: of those that are served, and not of those that were. */
export class KeptFiles {
  readonly #options: KeptFilesOptions;
  #due = false;
  #next = 0;
  #pruning: Promise<void> = Promise.resolve();

  constructor(options: KeptFilesOptions) {
    this.#options = options;
  }

  /** Something is not served any more. */
  outdated(): void {
    this.#due = true;
    this.pruneIfDue();
  }

  pruneIfDue(): void {
    const now = performance.now();
    if (!this.#due || now < this.#next) return;
    this.#due = false;
    this.#next = now + PRUNE_MILLISECONDS;
    this.#pruning = this.#prune().catch((error: unknown) => this.#options.onProblem?.(error));
  }

  /** Resolves when nothing is being deleted. */
  settled(): Promise<void> {
    return this.#pruning;
  }

  async #prune(): Promise<void> {
    const { artifacts, verifier, wanted } = this.#options;
    const versions = wanted().flatMap(({ model, champion }) =>
      champion === null ? [] : [{ model, ...champion }],
    );
    const keep = new Set(versions.map(({ artifact }) => artifact));
    await Promise.all([artifacts.prune(keep), verifier?.prune(versions)]);
  }
}
