import { IdGenerator, ManualClock } from '@perennial/contract';
import { ensurePredictionPartitions, type Database } from '@perennial/storage';

/** A prediction that somebody asked for. */
export interface Asked {
  key: string | null;
  at: Date;
  x?: number;
  mode?: 'live' | 'precomputed' | 'batch';
  latencyMicroseconds?: number;
}

/** Puts predictions of the model `m` into the log. */
export async function logTraffic({ sql }: Database, asked: readonly Asked[]): Promise<void> {
  const clock = new ManualClock('2001-01-01T00:00:00Z');
  const ids = new IdGenerator(clock);
  await ensurePredictionPartitions(
    sql,
    asked.map(({ at }) => at.toISOString().slice(0, 10)),
  );
  for (let start = 0; start < asked.length; start += 10_000) {
    const rows = asked.slice(start, start + 10_000).map(({ at, ...rest }) => {
      clock.set(at);
      return { id: ids.next(), at: at.toISOString(), x: 1, mode: 'live', latency: 200, ...rest };
    });
    await sql`
      insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
      select r.id, 'm', 1, 'm', r.key, jsonb_build_object('x', r.x), '{"value":1}'::jsonb, r.mode,
        coalesce(r."latencyMicroseconds", 200), r.at
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as r(
        id uuid, key text, x float8, mode text, "latencyMicroseconds" integer, at timestamptz)`;
  }
}

/** The same numbers from 0 up to 1 every time (a linear congruential generator, Numerical Recipes' constants). */
export function steadyRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Ranks 1 to n, each with a chance in proportion to rank^-s, drawn by inverting the cumulative sums. */
export function zipfRanks(n: number, s: number, random: () => number): () => number {
  const cumulative: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= n; rank++) cumulative.push((sum += rank ** -s));
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, n - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
