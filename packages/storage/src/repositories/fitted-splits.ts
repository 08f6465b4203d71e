import { sql } from 'drizzle-orm';
import type { Digest } from '@perennial/contract';
import type { Executor } from './executor.ts';

export interface FittedSplitsQuery {
  /** Artifacts of versions on record, and of those that they began at, as far back as that goes. */
  artifacts: readonly Digest[];
  /** The stretch of time that is asked about, [from, to). */
  from: string;
  to: string;
}

/**
 * The training and validation splits that models were fitted to, of those that have rows of a stretch of time: each once, in the order of their digests. A model
 * that began at another's weights has seen what that one saw.
 */
export async function fittedSplitsWithin(
  db: Executor,
  { artifacts, from, to }: FittedSplitsQuery,
): Promise<Digest[]> {
  if (artifacts.length === 0) return [];
  const given = sql.join(
    artifacts.map((artifact) => sql`(${artifact}::text)`),
    sql`, `,
  );
  // `union` keeps each artifact once, so a family that came round to itself would end too.
  const rows = await db.execute<{ digest: Digest }>(sql`
    with recursive family (artifact) as (
      values ${given}
      union
      select version.lineage->>'warmStartedFrom'
      from model_versions version join family on family.artifact = version.artifact_digest
      where version.lineage->>'warmStartedFrom' is not null
    )
    select distinct fitted.split->>'digest' as digest
    from family
    join model_versions version on version.artifact_digest = family.artifact
    join dataset_versions dataset on dataset.digest = version.dataset_digest
    cross join lateral (
      values (dataset.manifest#>'{splits,train}'), (dataset.manifest#>'{splits,validation}')
    ) fitted (split)
    where (fitted.split->>'from')::timestamptz < ${to}::timestamptz
      and (fitted.split->>'to')::timestamptz > ${from}::timestamptz
    order by 1`);
  return rows.map((row) => row.digest);
}
