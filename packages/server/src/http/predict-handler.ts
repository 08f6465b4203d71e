import type { Predictor } from '@perennial/serving';
import { cacheUseOf, newPhases } from '@perennial/serving/online';
import { addPhases } from '../tracing/tracing.ts';
import type { Metrics } from './metrics.ts';
import type { Handlers } from './route-registration.ts';

/**
 * Answers a prediction's request. In a file of its own, since the server of a single artifact has this route and nothing else: with all handlers it would load
 * the whole platform, which takes half a second of processor time.
 */
export function predictHandler({
  predictions,
  metrics,
}: {
  predictions: Predictor;
  metrics: Metrics;
}): Handlers['predict'] {
  return async ({ params, body }, { trace, cacheControl }) => {
    const phases = trace?.sampled === true ? newPhases() : undefined;
    const startedAt = performance.now();
    const answer = await predictions.predict({
      model: params.model,
      request: { instances: body.instances ?? [], keys: body.keys },
      cache: cacheUseOf(cacheControl),
      phases,
    });
    if (trace !== undefined && phases !== undefined) {
      const { model, version } = answer;
      trace.set({
        'perennial.model': model,
        'perennial.version': version,
        'perennial.rows': answer.predictions.length,
      });
      addPhases(trace, startedAt, phases);
    }
    metrics.predictions(answer, answer.predictions.length);
    return answer;
  };
}
