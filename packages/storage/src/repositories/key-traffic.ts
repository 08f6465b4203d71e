import { sql, type SQL } from 'drizzle-orm';
import { DAY_MILLISECONDS, type KeyTraffic, type PredictionCosts } from '@perennial/contract';
import { smallestUuidAt } from '../database/partitions.ts';
import type { Executor } from './executor.ts';

export interface TrafficWindow {
  model: string;
  /** From one to the other, both included: whoever has just asked is counted. By the time of the prediction. */
  from: Date;
  to: Date;
}

/** What was asked for in a window. */
export interface Traffic {
  predictions: number;
  keyless: number;
  /** First and last prediction of the window; null where there is none. */
  first: Date | null;
  last: Date | null;
  /** Null where nothing came with a key. */
  keys: KeyTraffic | null;
}

/** Steps of the curve: 1, 2, 5, 10, … up to more keys than there are people. */
const STEPS = Array.from({ length: 11 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Keys with fewer predictions say more of chance than of the distribution. */
const LEAST_COUNT = 10;
const LEAST_KEYS = 10;

/** Newest predictions that say what one takes. */
const SAMPLE_ROWS = 100_000;

/** Per row beside its values: tuple header, line pointer and times (PostgreSQL manual, "Database Page Layout"), and the entry in the primary key beside the key's text. */
const ROW_OVERHEAD_BYTES = 24 + 4 + 16 + 16 + 32;

/** What somebody asked for and waited for; batches and what is answered later are no traffic of this kind. */
const ASKED = sql`mode in ('live', 'cached', 'precomputed')`;

/** The bounds on the id name the partitions to read; a day on either side, since an id may run ahead of its row's time by a little. */
function within({ model, from, to }: TrafficWindow): SQL {
  return sql`model = ${model} and at >= ${from.toISOString()} and at <= ${to.toISOString()} and ${ASKED}
    and id >= ${smallestUuidAt(new Date(from.getTime() - DAY_MILLISECONDS))}
    and id < ${smallestUuidAt(new Date(to.getTime() + DAY_MILLISECONDS))}`;
}

interface TrafficRow extends Record<string, unknown> {
  predictions: string;
  first: Date | null;
  last: Date | null;
  distinct: string;
  keyed: string;
  entropy: number | null;
  topShare: number | null;
  slope: number | null;
  headKeys: string;
  curve: { keys: number; share: number }[] | null;
  days: string;
  newKeys: string;
  newPredictions: string;
  laterPredictions: string;
}

/**
 * How the keys asked for in a window are spread, computed where the rows are: what comes out is one row, however many predictions there are.
 *
 * `1 / s` is the exponent of the counts' tail, by the regression of log(rank - 1/2) on log(count): X. Gabaix and R. Ibragimov, "Rank − 1/2: a simple way to improve
 * the OLS estimation of tail exponents", Journal of Business & Economic Statistics 29 (2011).
 */
export async function keyTraffic(db: Executor, window: TrafficWindow): Promise<Traffic> {
  const [row] = await db.execute<TrafficRow>(sql`
    with ${perKey(window)}, ${ranked()}
    select a.predictions, a.first, a.last, s.*, c.curve, n.*
    from (select coalesce(sum(n), 0) as predictions, min(first) as first, max(last) as last from per_day) a,
      (${spread()}) s,
      (select jsonb_agg(jsonb_build_object('keys', rank, 'share', cumulative / total) order by rank) as curve
        from ranked where rank = any(${sql.param(STEPS)}::bigint[]) or rank = keys) c,
      (${newcomers()}) n`);
  if (row === undefined) throw new Error('an aggregate gave no row');
  const { predictions, first, last, keyed } = row;
  const asked = Number(predictions);
  const keyless = asked - Number(keyed);
  return { predictions: asked, keyless, first, last, keys: Number(keyed) === 0 ? null : toKeyTraffic(row) };
}

/** One pass over the predictions; all else reads what it leaves. */
function perKey(window: TrafficWindow): SQL {
  return sql`per_day as materialized (
      select key, (at at time zone 'UTC')::date as day, count(*) as n, min(at) as first, max(at) as last
      from predictions where ${within(window)} group by 1, 2
    ),
    per_key as materialized (
      select key, sum(n) as n, min(day) as first_day from per_day where key is not null group by key
    )`;
}

function ranked(): SQL {
  return sql`ranked as materialized (
      select n, row_number() over by_count as rank, sum(n) over by_count as cumulative,
        sum(n) over () as total, count(*) over () as keys
      from per_key window by_count as (order by n desc, key rows unbounded preceding)
    )`;
}

function spread(): SQL {
  return sql`
    select count(*) as distinct, coalesce(sum(n), 0) as keyed,
      case when count(*) > 1 then (-sum(n / total * ln(n / total)) / ln(count(*)))::float8 end as entropy,
      (max(cumulative) filter (where rank <= ceil(keys / 100.0)) / max(total))::float8 as "topShare",
      regr_slope(ln(rank - 0.5), ln(n)) filter (where n >= ${LEAST_COUNT}) as slope,
      count(*) filter (where n >= ${LEAST_COUNT}) as "headKeys"
    from ranked`;
}

/** On the first day of the window every key is new, which says nothing. */
function newcomers(): SQL {
  return sql`
    select count(distinct day) as days,
      count(*) filter (where day = first_day and day > opening) as "newKeys",
      coalesce(sum(d.n) filter (where day = first_day and day > opening), 0) as "newPredictions",
      coalesce(sum(d.n) filter (where day > opening), 0) as "laterPredictions"
    from per_day d join per_key k using (key), (select min(first_day) as opening from per_key) o`;
}

function toKeyTraffic(row: TrafficRow): KeyTraffic {
  const laterDays = Number(row.days) - 1;
  const later = Number(row.laterPredictions);
  const slope = Number(row.headKeys) < LEAST_KEYS ? null : row.slope;
  return {
    distinct: Number(row.distinct),
    predictions: Number(row.keyed),
    normalizedEntropy: row.entropy === null ? null : clamp(row.entropy),
    topPercentShare: clamp(row.topShare ?? 0),
    zipfExponent: slope === null || slope >= 0 ? null : -1 / slope,
    newPerDay: laterDays < 1 ? null : Number(row.newKeys) / laterDays,
    newShare: later === 0 ? null : Number(row.newPredictions) / later,
    curve: (row.curve ?? []).map(({ keys, share }) => ({ keys, share: clamp(share) })),
  };
}

/** Rounding may leave a share a hair outside of what a share can be. */
const clamp = (share: number) => Math.min(1, Math.max(0, share));

interface CostsRow extends Record<string, unknown> {
  sample: number;
  latency: Partial<Record<string, { predictions: number; p50: number; p99: number; mean: number }>> | null;
  perRow: number | null;
  bytes: number | null;
  changing: number | null;
}

/**
 * What a prediction takes, from the newest of a window: whatever the window holds, so many rows are looked at and no more. Rows of one request are told by their
 * equal time and latency.
 */
export async function predictionCosts(db: Executor, window: TrafficWindow): Promise<PredictionCosts> {
  const [row] = await db.execute<CostsRow>(sql`
    with newest as materialized (
      select key, features, output, mode, latency_microseconds as latency, at from predictions
      where ${within(window)} order by id desc limit ${SAMPLE_ROWS}
    ),
    by_mode as (
      select mode, jsonb_build_object('predictions', count(*),
        'p50', percentile_cont(0.5) within group (order by latency),
        'p99', percentile_cont(0.99) within group (order by latency), 'mean', avg(latency)::float8) as latency
      from newest group by mode
    ),
    requests as (select latency, count(*) as rows from newest where mode = 'live' group by at, latency),
    repeated as (
      select min(features::text) <> max(features::text) as changed from newest where key is not null
      group by key having count(*) > 1
    )
    select (select count(*)::int from newest) as sample,
      (select jsonb_object_agg(mode, latency) from by_mode) as latency,
      (select (sum(latency) / sum(rows))::float8 from requests) as "perRow",
      (select avg(pg_column_size(output) + pg_column_size(features) + 2 * pg_column_size(key))::float8
        from newest where key is not null) as bytes,
      (select (count(*) filter (where changed))::float8 / nullif(count(*), 0) from repeated) as changing`);
  if (row === undefined) throw new Error('a select without a table gave no row');
  return {
    sample: row.sample,
    latency: { live: row.latency?.['live'] ?? null, precomputed: row.latency?.['precomputed'] ?? null },
    microsecondsPerRow: row.perRow,
    bytesPerKey: row.bytes === null ? null : row.bytes + ROW_OVERHEAD_BYTES,
    changingFeatures: row.changing,
  };
}
