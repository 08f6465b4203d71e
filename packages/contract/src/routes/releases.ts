import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { nameSchema, textSchema } from '../names.ts';
import { versionNumberSchema } from '../model.ts';
import { pageQuery, pageQuerySchema, pageSchema } from '../paging.ts';
import { releaseEventSchema, releaseSchema, releaseStateSchema } from '../release.ts';
import { modelParams, versionParams } from './params.ts';
import type { Route } from './route.ts';

/** Why a person decided as they did. */
export const decisionSchema = z.strictObject({ reason: textSchema({ min: 1, max: 2_000 }) });

const releaseParams = z.strictObject({ release: idSchema('release') });

export const RELEASE_ROUTES = {
  listReleases: {
    method: 'GET',
    path: '/v1/releases',
    role: 'viewer',
    scope: 'list',
    summary: 'Releases, newest first',
    query: z.strictObject({
      ...pageQuery,
      model: nameSchema.optional(),
      state: releaseStateSchema.optional(),
    }),
    response: pageSchema(releaseSchema),
    status: 200,
  },
  getRelease: {
    method: 'GET',
    path: '/v1/releases/{release}',
    role: 'viewer',
    scope: 'resource',
    summary: 'One release',
    params: releaseParams,
    response: releaseSchema,
    status: 200,
  },
  approveRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/approve',
    role: 'approver',
    scope: 'resource',
    summary:
      'Approve a pending release; with the last approval that its policy asks for, the version goes live',
    params: releaseParams,
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
  rejectRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/reject',
    role: 'approver',
    scope: 'resource',
    summary: 'Reject a pending release',
    params: releaseParams,
    body: decisionSchema,
    response: releaseSchema,
    status: 200,
  },
  requestRelease: {
    method: 'POST',
    path: '/v1/models/{model}/versions/{version}/releases',
    role: 'operator',
    scope: 'model',
    summary:
      'Ask for a version to go into production; with `override` although the gate did not let it pass, which takes the admin role',
    params: versionParams,
    body: z.strictObject({
      reason: textSchema({ min: 1, max: 2_000 }),
      override: z.boolean().default(false),
    }),
    response: releaseSchema,
    status: 201,
  },
  commentOnRelease: {
    method: 'POST',
    path: '/v1/releases/{release}/comments',
    role: 'viewer',
    scope: 'resource',
    summary: 'Say something about a release',
    params: releaseParams,
    body: z.strictObject({ comment: textSchema({ min: 1, max: 5_000 }) }),
    response: releaseEventSchema,
    status: 201,
  },
  listReleaseEvents: {
    method: 'GET',
    path: '/v1/releases/{release}/events',
    role: 'viewer',
    scope: 'resource',
    summary: 'What happened to a release, oldest first',
    params: releaseParams,
    query: pageQuerySchema,
    response: pageSchema(releaseEventSchema),
    status: 200,
  },
  rollBack: {
    method: 'POST',
    path: '/v1/models/{model}/rollback',
    role: 'approver',
    scope: 'model',
    summary:
      'Take the champion out of production and put the version before it back, or the one that is named',
    params: modelParams,
    body: z.strictObject({
      reason: textSchema({ min: 1, max: 2_000 }),
      /** An earlier champion; absent: the newest one that was not rolled back. */
      to: versionNumberSchema.optional(),
    }),
    response: releaseSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
