import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { nameSchema, textSchema } from '../names.ts';
import { pageQuery, pageSchema } from '../paging.ts';
import { releaseSchema } from '../release.ts';
import type { Route } from './route.ts';

/** Why a person decided as they did. */
export const decisionSchema = z.strictObject({ reason: textSchema({ min: 1, max: 2_000 }) });

export const RELEASE_ROUTES = {
  listReleases: {
    method: 'GET',
    path: '/v1/releases',
    role: 'viewer',
    summary: 'Releases, newest first',
    query: z.strictObject({ ...pageQuery, model: nameSchema.optional() }),
    response: pageSchema(releaseSchema),
    status: 200,
  },
  getRelease: {
    method: 'GET',
    path: '/v1/releases/{release}',
    role: 'viewer',
    summary: 'One release',
    params: z.strictObject({ release: idSchema('release') }),
    response: releaseSchema,
    status: 200,
  },
  approveRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/approve',
    role: 'approver',
    summary: 'Approve a pending release: its version goes live',
    params: z.strictObject({ release: idSchema('release') }),
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
  rejectRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/reject',
    role: 'approver',
    summary: 'Reject a pending release',
    params: z.strictObject({ release: idSchema('release') }),
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
