import { sql, type SQL } from 'drizzle-orm';
import { DAY_MILLISECONDS, type LabelKind } from '@perennial/contract';
import { smallestUuidAt } from '../database/partitions.ts';
import type { Executor } from './executor.ts';

/** One day of one model: what was asked, what has turned out, and how the two compare. */
export interface LiveQualityRow {
  day: string;
  predictions: number;
  labelled: number;
  versions: { version: number; predictions: number }[];
  metrics: Record<string, number | null>;
  meanPrediction: number | null;
  meanLabel: number | null;
}

export interface LiveQualityQuery {
  model: string;
  kind: LabelKind;
  /** [from, to) */
  from: Date;
  to: Date;
}

/**
 * Live quality per day (UTC, by the time of the prediction), computed where the rows are. A fact belongs to a prediction by its id or by the
 * model and key; of several facts the newest received counts.
 */
export async function liveQuality(db: Executor, query: LiveQualityQuery): Promise<LiveQualityRow[]> {
  const rows = await db.execute(sql`
    with ${predicted(query)}, ${labelled(query)}, ${scored(query.kind)},
    per_day as (
      select day, count(*)::int as labelled, avg(score) as mean_prediction, avg(truth) as mean_label, ${metrics(query.kind)} as metrics
      from scored where truth is not null or matches is not null group by day
    ),
    per_version as (select day, version, count(*)::int as predictions from predicted group by day, version)
    select v.day::text as day, sum(v.predictions)::int as predictions, coalesce(max(d.labelled), 0)::int as labelled,
      jsonb_agg(jsonb_build_object('version', v.version, 'predictions', v.predictions) order by v.version) as versions,
      (array_agg(d.metrics))[1] as metrics, max(d.mean_prediction) as "meanPrediction", max(d.mean_label) as "meanLabel"
    from per_version v left join per_day d using (day) group by v.day order by v.day`);
  return (rows as unknown as LiveQualityRow[]).map((row) => ({ ...row, metrics: row.metrics ?? {} }));
}

/** The bounds on the id name the partitions to read; a day on either side, since an id may run ahead of its row's time by a little. */
function predicted({ model, from, to }: LiveQualityQuery): SQL {
  return sql`predicted as materialized (
    select id, key, version, output, (at at time zone 'UTC')::date as day from predictions
    where model = ${model} and at >= ${from.toISOString()} and at < ${to.toISOString()}
      and id >= ${smallestUuidAt(new Date(from.getTime() - DAY_MILLISECONDS))}
      and id < ${smallestUuidAt(new Date(to.getTime() + DAY_MILLISECONDS))}
  )`;
}

/**
 * Each prediction's newest fact: ids are UUIDv7 of one clock, so the greatest id is the newest. The facts are looked up by index, prediction for
 * prediction: a day's partition has no statistics until autovacuum comes by, and a join of the two sets was then planned as if there were one row, which
 * took 25 s for a day of 17,000 predictions. An aggregate, since `order by id limit 1` may be planned as a walk down all facts.
 */
function labelled({ model }: LiveQualityQuery): SQL {
  return sql`labelled as (
    select p.day, p.output, fact.label
    from predicted p cross join lateral (
      select (array_agg(label order by id desc))[1] as label from (
        select id, label from ground_truth where prediction_id = p.id
        union all
        select id, label from ground_truth where model = ${model} and key = p.key
      ) of_prediction
    ) fact
    where fact.label is not null
  )`;
}

/** score and truth are numbers that have a mean (binary, regression); matches says whether a decision was right (binary, multiclass). */
function scored(kind: LabelKind): SQL {
  switch (kind) {
    case 'binary':
      return sql`graded as (
        select day, (output->>'probability')::float8 as score,
          case label when 'true' then 1 when 'false' then 0 when '1' then 1 when '0' then 0 end::float8 as truth,
          (output->>'decision')::boolean as decision
        from labelled
      ),
      scored as (
        select day, score, truth, decision = (truth = 1) as matches,
          rank() over (partition by day order by score) + (count(*) over (partition by day, score) - 1) / 2.0 as midrank
        from graded where truth is not null
      )`;
    case 'multiclass':
      return sql`scored as (
        select day, null::float8 as score, null::float8 as truth, output->>'decision' = label#>>'{}' as matches,
          (output->'probabilities'->>(label#>>'{}'))::float8 as likelihood
        from labelled
      )`;
    case 'regression':
      return sql`scored as (
        select day, (output->>'value')::float8 as score, (label#>>'{}')::float8 as truth, null::boolean as matches
        from labelled where jsonb_typeof(label) = 'number'
      )`;
  }
}

/** AUC from midranks: (Σ ranks of positives − n₁(n₁+1)/2) / (n₀ n₁), Hanley and McNeil 1982. */
function metrics(kind: LabelKind): SQL {
  const clipped = sql`greatest(1e-15, least(1 - 1e-15, case truth when 1 then score else 1 - score end))`;
  switch (kind) {
    case 'binary':
      return sql`jsonb_build_object(
        'auc', (sum(midrank) filter (where truth = 1) - sum(truth) * (sum(truth) + 1) / 2) / nullif(sum(truth) * (count(*) - sum(truth)), 0),
        'logLoss', -avg(ln(${clipped})), 'accuracy', avg(matches::int), 'brier', avg((score - truth) ^ 2))`;
    case 'multiclass':
      return sql`jsonb_build_object('accuracy', avg(matches::int), 'logLoss', -avg(ln(greatest(1e-15, coalesce(likelihood, 0)))))`;
    case 'regression':
      return sql`jsonb_build_object(
        'rmse', sqrt(avg((score - truth) ^ 2)), 'mae', avg(abs(score - truth)),
        'r2', 1 - sum((score - truth) ^ 2) / nullif(var_pop(truth) * count(*), 0))`;
  }
}
