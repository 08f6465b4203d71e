import {
  CHAMPION,
  DAY_MILLISECONDS,
  InvalidRequestError,
  type Clock,
  type MonitoringDay,
  type MonitoringReport,
  type Staleness,
} from '@perennial/contract';
import {
  findAlias,
  getModel,
  getModelVersion,
  liveQuality,
  type Database,
  type LiveQualityRow,
} from '@perennial/storage';
import { signatureReader } from './signatures.ts';

export interface LiveReportQuery {
  model: string;
  /** First and last day, `YYYY-MM-DD` in UTC, both included. @default the last 30 days */
  from?: string | undefined;
  to?: string | undefined;
}

/**
 * Live quality, prediction bias and staleness of a model.
 * @throws NotFoundError, InvalidRequestError when the period ends before it begins
 */
export async function reportLive(
  { database, clock }: { database: Database; clock: Clock },
  query: LiveReportQuery,
): Promise<MonitoringReport> {
  const { model } = query;
  await getModel(database.orm, model);
  const output = await signatureReader(database.orm)(model);
  const rows = await liveQuality(database.orm, { model, kind: output.kind, ...period(query, clock) });
  return { model, staleness: await staleness({ database, clock }, model), days: rows.map(toDay) };
}

/** How far the champion's data lie behind now; null without a champion. */
export async function staleness(
  { database, clock }: { database: Database; clock: Clock },
  model: string,
): Promise<Staleness | null> {
  const champion = await findAlias(database.orm, model, CHAMPION);
  if (!champion) return null;
  const { version, asOf } = await getModelVersion(database.orm, model, champion.version);
  const days = (clock.now().getTime() - new Date(asOf).getTime()) / DAY_MILLISECONDS;
  return { model, version, dataAsOf: asOf, days };
}

function period({ from, to }: LiveReportQuery, clock: Clock): { from: Date; to: Date } {
  const today = clock.now().toISOString().slice(0, 10);
  const end = new Date(new Date(`${to ?? today}T00:00:00Z`).getTime() + DAY_MILLISECONDS);
  const start =
    from === undefined ? new Date(end.getTime() - 30 * DAY_MILLISECONDS) : new Date(`${from}T00:00:00Z`);
  if (start >= end) {
    const message = `must not be after to (${to ?? today})`;
    throw new InvalidRequestError(`from ${message}.`, [{ path: 'from', message }]);
  }
  return { from: start, to: end };
}

function toDay(row: LiveQualityRow): MonitoringDay {
  const { meanPrediction, meanLabel } = row;
  const bias = meanPrediction === null || meanLabel === null ? null : meanPrediction - meanLabel;
  return { ...row, metrics: row.metrics, bias };
}
