import { z } from 'zod';
import {
  createdTokenSchema,
  sessionRequestSchema,
  sessionSchema,
  tokenRequestSchema,
  tokenSchema,
} from '../access.ts';
import { auditActionSchema, auditEntrySchema, auditVerificationSchema } from '../audit.ts';
import { idSchema } from '../ids.ts';
import { digestSchema, instantSchema, textSchema } from '../names.ts';
import { pageQuery, pageQuerySchema, pageSchema } from '../paging.ts';
import type { Route } from './route.ts';

export const ACCESS_ROUTES = {
  createToken: {
    method: 'POST',
    path: '/v1/tokens',
    role: 'admin',
    scope: 'installation',
    summary: 'Make a token; the answer shows it, this once',
    body: tokenRequestSchema,
    response: createdTokenSchema,
    status: 201,
  },
  listTokens: {
    method: 'GET',
    path: '/v1/tokens',
    role: 'admin',
    scope: 'installation',
    summary: 'Tokens, newest first',
    query: pageQuerySchema,
    response: pageSchema(tokenSchema),
    status: 200,
  },
  revokeToken: {
    method: 'DELETE',
    path: '/v1/tokens/{token}',
    role: 'admin',
    scope: 'installation',
    summary: 'Revoke a token: every server refuses it within a second',
    params: z.strictObject({ token: idSchema('token') }),
    response: tokenSchema,
    status: 200,
  },
  openSession: {
    method: 'POST',
    path: '/v1/session',
    role: 'public',
    scope: 'any',
    summary: 'Sign a browser in by a token; the answer sets the cookie of the session',
    body: sessionRequestSchema,
    response: sessionSchema,
    status: 201,
  },
  getSession: {
    method: 'GET',
    path: '/v1/session',
    role: 'viewer',
    scope: 'any',
    summary: 'Who is signed in, and what they may do',
    response: sessionSchema,
    status: 200,
  },
  closeSession: {
    method: 'DELETE',
    path: '/v1/session',
    role: 'viewer',
    scope: 'any',
    summary: 'Sign out',
    response: sessionSchema,
    status: 200,
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    role: 'admin',
    scope: 'installation',
    summary: 'Every change with who, when, what, why and from where, newest first',
    query: z.strictObject({
      ...pageQuery,
      subject: textSchema({ max: 300 }).optional(),
      by: textSchema({ max: 300 }).optional(),
      action: auditActionSchema.optional(),
      from: instantSchema.optional(),
      to: instantSchema.optional(),
    }),
    response: pageSchema(auditEntrySchema),
    status: 200,
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1/audit/verification',
    role: 'admin',
    scope: 'installation',
    summary: 'Walk the chain of audit entries and say whether it is whole',
    query: z.strictObject({
      /** The hash of an entry that was written down elsewhere: without it a cut-off end does not show. */
      head: digestSchema.optional(),
    }),
    response: auditVerificationSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
