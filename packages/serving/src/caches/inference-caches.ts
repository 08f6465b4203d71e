import {
  durationMilliseconds,
  type Clock,
  type Digest,
  type InputColumn,
  type ServingSpec,
} from '@perennial/contract';
import { InferenceCache, type CacheLimits } from './inference-cache.ts';
import { VersionCache } from './version-cache.ts';

/** Memory that an endpoint's cache takes at most, where it says nothing, in bytes. */
export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

export interface InferenceCachesOptions {
  /** How a model is served now. */
  servingOf: (model: string) => ServingSpec;
  clock: Clock;
}

/** Numbers of one endpoint's cache. */
export interface CacheNumbers {
  endpoint: string;
  hits: number;
  misses: number;
  evictions: number;
  entries: number;
  bytes: number;
}

/** The inference caches of the endpoints that want one, each made when it is first needed. */
export class InferenceCaches {
  readonly #options: InferenceCachesOptions;
  readonly #caches = new Map<string, InferenceCache>();
  readonly #limits = new WeakMap<ServingSpec, CacheLimits | null>();

  constructor(options: InferenceCachesOptions) {
    this.#options = options;
  }

  /** The cache of one version of a model; undefined where its endpoint keeps no answers. */
  of(
    model: string,
    version: { artifact: Digest; columns: readonly InputColumn[] },
  ): VersionCache | undefined {
    const limits = this.#limitsOf(this.#options.servingOf(model));
    if (limits !== null) return new VersionCache({ ...version, limits, cache: this.#cacheOf(model) });
    // What an endpoint kept before it was told not to is of no use any more.
    if (this.#caches.size > 0) this.#caches.delete(model);
    return undefined;
  }

  numbers(): CacheNumbers[] {
    return Array.from(this.#caches, ([endpoint, { counters, size, bytes }]) => ({
      endpoint,
      ...counters,
      entries: size,
      bytes,
    }));
  }

  #cacheOf(model: string): InferenceCache {
    const known = this.#caches.get(model);
    if (known !== undefined) return known;
    const cache = new InferenceCache(this.#options);
    this.#caches.set(model, cache);
    return cache;
  }

  /** Worked out once for each way of serving: this is asked for every request. */
  #limitsOf(serving: ServingSpec): CacheLimits | null {
    let limits = this.#limits.get(serving);
    if (limits === undefined) {
      const wanted = serving.cache?.predictions;
      limits = wanted
        ? {
            maxAgeMilliseconds: durationMilliseconds(wanted.maxAge),
            maxBytes: wanted.maxBytes ?? DEFAULT_CACHE_BYTES,
          }
        : null;
      this.#limits.set(serving, limits);
    }
    return limits;
  }
}
