import type { Digest, InputColumn, PredictionOutput } from '@perennial/contract';
import type { ColumnBatch } from '@perennial/onnx';
import type { CacheLimits, InferenceCache } from './inference-cache.ts';
import { rowKey, takeRows } from './row-keys.ts';

/** What a request lets the cache do: answer from it, only refresh it, or stay out of it. */
export type CacheUse = 'use' | 'refresh' | 'none';

/**
 * What a request's `Cache-Control` says of the inference cache (RFC 9111, 5.2.1): `no-cache` asks for a live answer, which is kept for others; `no-store` for one that is not
 * kept either.
 */
export function cacheUseOf(cacheControl: string | undefined): CacheUse {
  if (cacheControl === undefined) return 'use';
  const directives = cacheControl.toLowerCase().split(',');
  const says = (directive: string) => directives.some((one) => one.trim() === directive);
  if (says('no-store')) return 'none';
  return says('no-cache') ? 'refresh' : 'use';
}

export interface VersionCacheOptions {
  artifact: Digest;
  /** The input columns, in the order of the signature. */
  columns: readonly InputColumn[];
  limits: CacheLimits;
  cache: InferenceCache;
}

/** One row's answer, and whether it was kept from before. */
export interface KeptOutput {
  output: PredictionOutput;
  cached: boolean;
}

/** The inference cache as one version of a model sees it: that version's answers and no other's. */
export class VersionCache {
  readonly #options: VersionCacheOptions;

  constructor(options: VersionCacheOptions) {
    this.#options = options;
  }

  /**
   * Answers the rows of a batch, from the cache where it can.
   * @param compute answers the rows that are not kept, in their order
   */
  async answer(
    batch: ColumnBatch,
    use: Exclude<CacheUse, 'none'>,
    compute: (missing: ColumnBatch) => Promise<readonly PredictionOutput[]>,
  ): Promise<KeptOutput[]> {
    const { columns } = this.#options;
    const keys = Array.from({ length: batch.rows }, (_, row) => rowKey(columns, batch, row));
    const found = keys.map((key) => (use === 'use' ? this.#find(key) : undefined));
    const missing = found.flatMap((output, row) => (output === undefined ? [row] : []));
    const computed = await this.#compute(batch, missing, compute);
    missing.forEach((row, at) => this.#keep(keys[row] as string, computed[at] as PredictionOutput));
    let next = 0;
    return found.map((output) =>
      output === undefined
        ? { output: computed[next++] as PredictionOutput, cached: false }
        : { output, cached: true },
    );
  }

  /** The answers of all rows of a batch, in their order; undefined where one of them is not kept. */
  findAll(batch: ColumnBatch): PredictionOutput[] | undefined {
    const { columns } = this.#options;
    const found: PredictionOutput[] = [];
    for (let row = 0; row < batch.rows; row++) {
      const output = this.#find(rowKey(columns, batch, row));
      if (output === undefined) return undefined;
      found.push(output);
    }
    return found;
  }

  /** Keeps the answers of all rows of a batch. */
  keepAll(batch: ColumnBatch, answerOf: (row: number) => PredictionOutput): void {
    const { columns } = this.#options;
    for (let row = 0; row < batch.rows; row++) this.#keep(rowKey(columns, batch, row), answerOf(row));
  }

  async #compute(
    batch: ColumnBatch,
    missing: readonly number[],
    compute: (missing: ColumnBatch) => Promise<readonly PredictionOutput[]>,
  ): Promise<readonly PredictionOutput[]> {
    if (missing.length === 0) return [];
    return compute(missing.length === batch.rows ? batch : takeRows(batch, missing));
  }

  #find(key: string): PredictionOutput | undefined {
    const { artifact, cache, limits } = this.#options;
    return cache.find(artifact, key, limits);
  }

  #keep(key: string, answer: PredictionOutput): void {
    const { artifact, cache, limits } = this.#options;
    cache.keep(artifact, key, { answer, limits });
  }
}
