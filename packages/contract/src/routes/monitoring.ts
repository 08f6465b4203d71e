import { z } from 'zod';
import { doctorReportSchema } from '../doctor.ts';
import { groundTruthRequestSchema, groundTruthResponseSchema } from '../ground-truth.ts';
import { monitoringReportSchema } from '../monitoring.ts';
import { daySchema } from '../names.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

export const MONITORING_ROUTES = {
  postGroundTruth: {
    method: 'POST',
    path: '/v1/ground-truth',
    role: 'predictor',
    scope: 'body',
    summary: 'Record what turned out to be true; late and repeated is fine, the newest counts',
    body: groundTruthRequestSchema,
    response: groundTruthResponseSchema,
    status: 202,
  },
  getMonitoring: {
    method: 'GET',
    path: '/v1/models/{model}/monitoring',
    role: 'viewer',
    scope: 'model',
    summary: 'Live quality, prediction bias and staleness of a model, per day',
    params: modelParams,
    query: z.strictObject({ from: daySchema.optional(), to: daySchema.optional() }),
    response: monitoringReportSchema,
    status: 200,
  },
  getDoctor: {
    method: 'GET',
    path: '/v1/doctor',
    role: 'viewer',
    scope: 'installation',
    summary: 'What the platform found on its machine, and what is missing for better',
    response: doctorReportSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
