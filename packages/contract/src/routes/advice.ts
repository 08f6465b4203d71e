import { z } from 'zod';
import { adviceSchema } from '../advice.ts';
import { DAY_MILLISECONDS, durationMilliseconds, durationSchema } from '../durations.ts';
import { modelParams } from './params.ts';
import type { Route } from './route.ts';

const LONGEST_DAYS = 90;

export const ADVICE_ROUTES = {
  getAdvice: {
    method: 'GET',
    path: '/v1/models/{model}/advice',
    role: 'viewer',
    scope: 'model',
    summary: 'How the model should be served, from the keys that were asked for',
    params: modelParams,
    query: z.strictObject({
      /** Until now. */
      window: durationSchema
        .refine(
          (text) => durationMilliseconds(text) <= LONGEST_DAYS * DAY_MILLISECONDS,
          `must be at most ${LONGEST_DAYS}d`,
        )
        .default('7d'),
    }),
    response: adviceSchema,
    status: 200,
  },
} as const satisfies Record<string, Route>;
