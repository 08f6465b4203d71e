import { Counter, Gauge, type Registry } from 'prom-client';
import type { CacheNumbers, InferenceCaches } from '@perennial/serving';

const COUNTERS = {
  perennial_inference_cache_hits_total: ['Answers given from an inference cache', 'hits'],
  perennial_inference_cache_misses_total: ['Answers that were not in an inference cache', 'misses'],
  perennial_inference_cache_evictions_total: ['Answers let go for want of room', 'evictions'],
} as const satisfies Record<string, [string, keyof CacheNumbers]>;

const GAUGES = {
  perennial_inference_cache_entries: ['Answers that an inference cache holds', ({ entries }) => entries],
  perennial_inference_cache_bytes: ['Memory that an inference cache takes, estimated', ({ bytes }) => bytes],
  perennial_inference_cache_hit_ratio: [
    'Share of the answers since the start that came from an inference cache',
    ({ hits, misses }) => (hits === 0 ? 0 : hits / (hits + misses)),
  ],
} as const satisfies Record<string, [string, (numbers: CacheNumbers) => number]>;

/** Tells of the inference caches, endpoint by endpoint, when metrics are scraped. */
export function registerCacheMetrics(registry: Registry, caches: InferenceCaches): void {
  const about = { labelNames: ['endpoint'], registers: [registry] };
  for (const [name, [help, field]] of Object.entries(COUNTERS))
    new Counter({
      ...about,
      name,
      help,
      collect() {
        this.reset();
        for (const numbers of caches.numbers()) this.inc({ endpoint: numbers.endpoint }, numbers[field]);
      },
    });
  for (const [name, [help, read]] of Object.entries(GAUGES))
    new Gauge({
      ...about,
      name,
      help,
      collect() {
        this.reset();
        for (const numbers of caches.numbers()) this.set({ endpoint: numbers.endpoint }, read(numbers));
      },
    });
}
