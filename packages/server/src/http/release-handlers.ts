import { parseId, type Clock, type IdGenerator } from '@perennial/contract';
import {
  approveRelease,
  commentOnRelease,
  rejectRelease,
  requestRelease,
  rollBack,
  type Caller,
  type ReleaseDesk,
  type Signer,
} from '@perennial/registry';
import { getRelease, listReleaseEvents, listReleases, type Database } from '@perennial/storage';
import type { HandlerContext, Handlers } from './route-registration.ts';

export interface ReleaseHandlerDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  signer: Signer;
}

/** Releases: asked for, decided, spoken about, taken back. Who may do what, the registry decides. */
export function releaseHandlers({ database, clock, ids, signer }: ReleaseHandlerDependencies) {
  const desk: ReleaseDesk = { database, clock, ids, signer };
  const db = database.orm;
  return {
    listReleases: ({ query }) => listReleases(db, query, clock.now()),
    getRelease: ({ params }) => getRelease(db, parseId('release', params.release), clock.now()),
    listReleaseEvents: ({ params, query }) =>
      listReleaseEvents(db, parseId('release', params.release), query),
    requestRelease: ({ params, body }, context) =>
      requestRelease(desk, { ...params, ...body }, callerOf(context)),
    approveRelease: ({ params, body }, context) =>
      approveRelease(desk, { ...params, ...body }, callerOf(context)),
    rejectRelease: ({ params, body }, context) =>
      rejectRelease(desk, { ...params, ...body }, callerOf(context)),
    commentOnRelease: ({ params, body }, context) =>
      commentOnRelease(desk, { ...params, ...body }, callerOf(context)),
    rollBack: ({ params, body }, context) => rollBack(desk, { ...params, ...body }, callerOf(context)),
  } satisfies Partial<Handlers>;
}

/** The caller as a decision about a release sees it. */
export function callerOf({
  principal: { name, roles, models },
  origin,
}: Pick<HandlerContext, 'principal' | 'origin'>): Caller {
  return { name, roles, models, origin, kind: 'person' };
}
