/** Made-up visits of a shop: a small, learnable world for end-to-end tests. Deterministic. */
export interface Visit {
  at: string;
  visitor: string;
  pages: number;
  country: string;
  bought: boolean;
}

const COUNTRIES = ['de', 'fr', 'us', 'jp'];
const DAY = 86_400_000;

/** A small generator of uniform numbers (mulberry32), seeded so that every machine makes the same visits. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface VisitOptions {
  /** First day, `YYYY-MM-DD`. */
  from: string;
  days: number;
  perDay: number;
  seed?: number;
}

export function makeVisits({ from, days, perDay, seed = 1 }: VisitOptions): Visit[] {
  const random = uniform(seed);
  const start = Date.parse(`${from}T00:00:00Z`);
  return Array.from({ length: days * perDay }, (_, i): Visit => {
    const pages = Math.floor(random() * 20);
    const country = COUNTRIES[Math.floor(random() * COUNTRIES.length)] ?? 'de';
    const score = (pages - 10) / 3 + (country === 'jp' ? 1.5 : country === 'us' ? -1 : 0);
    const at = new Date(start + Math.floor(i / perDay) * DAY + Math.floor((DAY / perDay) * (i % perDay)));
    return {
      at: at.toISOString(),
      visitor: `v${i}`,
      pages,
      country,
      bought: random() < 1 / (1 + Math.exp(-score)),
    };
  });
}

export function toCsv(visits: Visit[]): string {
  const rows = visits.map((v) => [v.at, v.visitor, v.pages, v.country, v.bought].join(','));
  return ['at,visitor,pages,country,bought', ...rows].join('\n') + '\n';
}

/** What a model is asked about a visit. */
export function features({ pages, country }: Visit): { pages: number; country: string } {
  return { pages, country };
}
