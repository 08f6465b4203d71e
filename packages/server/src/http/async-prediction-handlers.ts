import { durationMilliseconds } from '@perennial/contract';
import type { AsyncPredictionDesk } from '@perennial/serving';
import type { Readiness } from '../platform/readiness.ts';
import type { Handlers } from './route-registration.ts';

export interface AsyncPredictionDependencies {
  asyncPredictions: AsyncPredictionDesk;
  readiness: Readiness;
}

/** Predictions that are answered later. */
export function asyncPredictionHandlers({ asyncPredictions, readiness }: AsyncPredictionDependencies) {
  return {
    predictAsync: ({ params, body }, { principal, trace }) =>
      asyncPredictions.accept({
        model: params.model,
        request: body,
        by: principal.name,
        traceparent: trace?.traceparent,
      }),
    getAsyncPrediction: ({ params, query }, { signal }) =>
      asyncPredictions.find({
        prediction: params.asyncPrediction,
        // Whoever waits must not keep the server from stopping, nor be waited for when it has gone.
        ...(query.wait === undefined
          ? {}
          : {
              waitMilliseconds: durationMilliseconds(query.wait),
              signal: AbortSignal.any([signal, readiness.stopping]),
            }),
      }),
  } satisfies Partial<Handlers>;
}
