import { listAudit, verifyAudit, type Database } from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

/** What was changed, by whom, and whether that record is whole. */
export function auditHandlers({ database }: { database: Database }) {
  return {
    listAudit: ({ query: { from, to, ...query } }) =>
      listAudit(database.orm, {
        ...query,
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
      }),
    verifyAudit: ({ query }) => verifyAudit(database, query),
  } satisfies Partial<Handlers>;
}
