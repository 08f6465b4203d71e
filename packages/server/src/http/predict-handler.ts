import { cacheUseOf, type PredictionService } from '@perennial/serving';
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
  predictions: PredictionService;
  metrics: Metrics;
}): Handlers['predict'] {
  return async ({ params, body }, { cacheControl }) => {
    const answer = await predictions.predict({
      model: params.model,
      request: body,
      cache: cacheUseOf(cacheControl),
    });
    metrics.predictions(answer, answer.predictions.length);
    return answer;
  };
}
