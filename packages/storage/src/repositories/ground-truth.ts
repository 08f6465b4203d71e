import { sql } from 'drizzle-orm';
import type { LabelValue } from '@perennial/contract';
import { groundTruth } from '../database/schema.ts';
import type { Executor } from './executor.ts';

/** A fact on record: it belongs to a prediction or to a key, never to both. */
export interface NewGroundTruth {
  id: string;
  model: string;
  predictionId: string | null;
  key: string | null;
  label: LabelValue;
  observedAt: Date;
  receivedAt: Date;
  receivedBy: string;
}

/** Appends facts, all or none: one statement whatever their number, the rows travelling as one JSON parameter. */
export async function insertGroundTruth(tx: Executor, facts: NewGroundTruth[]): Promise<void> {
  if (facts.length === 0) return;
  const rows = facts.map((fact) => ({
    id: fact.id,
    model: fact.model,
    prediction_id: fact.predictionId,
    key: fact.key,
    label: fact.label,
    observed_at: fact.observedAt,
    received_at: fact.receivedAt,
    received_by: fact.receivedBy,
  }));
  await tx.execute(sql`
    insert into ${groundTruth} (id, model, prediction_id, key, label, observed_at, received_at, received_by)
    select id, model, prediction_id, key, label, observed_at, received_at, received_by
    from jsonb_to_recordset((${JSON.stringify(rows)}::text)::jsonb) as fact (
      id uuid, model text, prediction_id uuid, key text, label jsonb,
      observed_at timestamptz, received_at timestamptz, received_by text
    )`);
}
