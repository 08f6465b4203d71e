import { z } from 'zod';
import { fileLineageSchema, predictionLineageSchema } from '../lineage.ts';
import { idSchema } from '../ids.ts';
import { digestSchema, textSchema } from '../names.ts';
import {
  erasureRequestSchema,
  erasureSchema,
  personalDataSchema,
  retentionPolicySchema,
  retentionReportSchema,
} from '../retention.ts';
import type { Route } from './route.ts';

export const RETENTION_ROUTES = {
  getRetention: {
    method: 'GET',
    path: '/v1/retention',
    role: 'viewer',
    scope: 'installation',
    summary: 'How long each kind of data is kept',
    response: retentionPolicySchema,
    status: 200,
  },
  changeRetention: {
    method: 'PATCH',
    path: '/v1/retention',
    role: 'admin',
    scope: 'installation',
    summary: 'Change how long the named kinds of data are kept',
    body: retentionPolicySchema.partial(),
    response: retentionPolicySchema,
    status: 200,
  },
  planRetention: {
    method: 'GET',
    path: '/v1/retention/plan',
    role: 'viewer',
    scope: 'installation',
    summary: 'What would be removed now, and what is kept for a reason',
    response: retentionReportSchema,
    status: 200,
  },
  applyRetention: {
    method: 'POST',
    path: '/v1/retention/apply',
    role: 'admin',
    scope: 'installation',
    summary: 'Remove what the policy lets go, now',
    response: retentionReportSchema,
    status: 200,
  },
  exportPersonalData: {
    method: 'GET',
    path: '/v1/personal-data',
    role: 'admin',
    scope: 'installation',
    summary: 'Everything on record about one key',
    query: z.strictObject({ key: textSchema({ min: 1, max: 256 }) }),
    response: personalDataSchema,
    status: 200,
  },
  erasePersonalData: {
    method: 'POST',
    path: '/v1/personal-data/erasures',
    role: 'admin',
    scope: 'installation',
    summary: 'Erase what is on record about one key',
    body: erasureRequestSchema,
    response: erasureSchema,
    status: 200,
  },
  getPredictionLineage: {
    method: 'GET',
    path: '/v1/predictions/{prediction}/lineage',
    role: 'viewer',
    scope: 'resource',
    summary: 'From a prediction to its version, run, dataset version and source files',
    params: z.strictObject({ prediction: idSchema('prediction') }),
    response: predictionLineageSchema,
    status: 200,
  },
  getFileLineage: {
    method: 'GET',
    path: '/v1/files/{digest}/lineage',
    role: 'viewer',
    scope: 'installation',
    summary: 'From a source file, by its digest, to every model that ate it',
    params: z.strictObject({ digest: digestSchema }),
    response: fileLineageSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
