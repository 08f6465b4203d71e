import { and, desc, eq, lt } from 'drizzle-orm';
import {
  IdGenerator,
  NotFoundError,
  formatId,
  type Alert,
  type AlertKind,
  type Page,
  type PageQuery,
} from '@perennial/contract';
import { alerts } from '../database/schema.ts';
import { UUID_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';
import { publishEvent } from './webhook-deliveries.ts';

export interface NewAlert {
  id: string;
  kind: AlertKind;
  severity: Alert['severity'];
  model: string;
  /** Plain id of the run that it came up in. */
  runId: string | null;
  version: number | null;
  /** One line. */
  title: string;
  message: string;
  /** What a program may want to know; becomes JSON. */
  details: Record<string, unknown>;
  at: Date;
}

/** Puts an alert on record, and on its way to the webhooks that want it: both are there if and only if the transaction's rows are. */
export async function raiseAlert(tx: Executor, alert: NewAlert): Promise<Alert> {
  const [row] = await tx.insert(alerts).values(alert).returning();
  if (!row) throw new Error('insert … returning gave no row');
  const { model, at } = alert;
  const raised = toAlert(row);
  await publishEvent(tx, {
    type: 'alert.raised',
    model,
    data: raised,
    at,
    ids: new IdGenerator({ now: () => at }),
  });
  return raised;
}

/** @throws NotFoundError */
export async function getAlert(db: Executor, id: string): Promise<Alert> {
  const [row] = await db.select().from(alerts).where(eq(alerts.id, id));
  if (!row) throw new NotFoundError('alert', formatId('alert', id));
  return toAlert(row);
}

/** Alerts, newest first. */
export async function listAlerts(
  db: Executor,
  query: PageQuery & { model?: string | undefined },
): Promise<Page<Alert>> {
  const before = decodeCursor(query.cursor, UUID_KEY);
  const rows = await db
    .select()
    .from(alerts)
    .where(
      and(
        query.model === undefined ? undefined : eq(alerts.model, query.model),
        before === undefined ? undefined : lt(alerts.id, before),
      ),
    )
    .orderBy(desc(alerts.id))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toAlert, key: (row) => row.id });
}

function toAlert({ runId, ...row }: typeof alerts.$inferSelect): Alert {
  return {
    ...row,
    id: formatId('alert', row.id),
    run: runId === null ? null : formatId('run', runId),
    at: row.at.toISOString(),
  };
}
