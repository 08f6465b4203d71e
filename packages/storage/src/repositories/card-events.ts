import { and, asc, eq } from 'drizzle-orm';
import { formatId, type CardEvents } from '@perennial/contract';
import { releaseEvents, releases } from '../database/schema.ts';
import type { Executor } from './executor.ts';
import { listReleases } from './releases.ts';

/** Releases of one version that a card shows; the newest. Overrides are shown all. */
const SHOWN_RELEASES = 100;

/** Every release and override of a version. */
export async function releasesOnCard(
  db: Executor,
  { model, version }: { model: string; version: number },
  now: Date,
): Promise<Pick<CardEvents, 'releases' | 'overrides'>> {
  const { items } = await listReleases(db, { model, version, limit: SHOWN_RELEASES }, now);
  const asked = await db
    .select({
      release: releases.id,
      by: releaseEvents.by,
      at: releaseEvents.at,
      reason: releaseEvents.reason,
    })
    .from(releases)
    .innerJoin(
      releaseEvents,
      and(eq(releaseEvents.releaseId, releases.id), eq(releaseEvents.type, 'request')),
    )
    .where(and(eq(releases.model, model), eq(releases.version, version), eq(releases.override, true)))
    .orderBy(asc(releases.id));
  const overrides = asked.map(({ release, at, ...said }) => ({
    release: formatId('release', release),
    at: at.toISOString(),
    ...said,
  }));
  return { releases: items, overrides };
}
