import { eq, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import {
  alerts,
  asyncPredictions,
  backfills,
  batches,
  datasetVersions,
  predictions,
  releases,
  reproductions,
  runs,
} from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** What belongs to a model, or to the pipeline of its name. */
export type OwnedKind =
  | 'run'
  | 'release'
  | 'prediction'
  | 'async-prediction'
  | 'batch'
  | 'backfill'
  | 'alert'
  | 'reproduction'
  | 'dataset';

interface Owned {
  table: PgTable;
  owner: PgColumn;
  key: PgColumn;
}

const OWNED: Record<OwnedKind, Owned> = {
  run: { table: runs, owner: runs.pipeline, key: runs.id },
  release: { table: releases, owner: releases.model, key: releases.id },
  prediction: { table: predictions, owner: predictions.model, key: predictions.id },
  batch: { table: batches, owner: batches.model, key: batches.id },
  backfill: { table: backfills, owner: backfills.pipeline, key: backfills.id },
  alert: { table: alerts, owner: alerts.model, key: alerts.id },
  reproduction: { table: reproductions, owner: reproductions.model, key: reproductions.id },
  'async-prediction': {
    table: asyncPredictions,
    owner: asyncPredictions.model,
    key: asyncPredictions.id,
  },
  dataset: { table: datasetVersions, owner: datasetVersions.pipeline, key: datasetVersions.digest },
};

/**
 * The model or pipeline that a thing belongs to; null when there is no such thing.
 * @param key a plain UUID, or the digest of a dataset version
 */
export async function ownerOf(db: Executor, kind: OwnedKind, key: string): Promise<string | null> {
  const { table, owner, key: column } = OWNED[kind];
  const where: SQL = eq(column, key);
  const [row] = await db.select({ owner }).from(table).where(where);
  return (row?.owner as string | null | undefined) ?? null;
}
