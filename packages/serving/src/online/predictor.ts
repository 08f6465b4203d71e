import type { PredictResponse } from '@perennial/contract';
import type { PredictionRequest } from './prediction-service.ts';

/** Whatever answers prediction requests: the service itself, or what stands before it. */
export interface Predictor {
  predict(request: PredictionRequest): Promise<PredictResponse>;
}
