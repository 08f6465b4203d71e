import { InvalidRequestError, type PredictRequest } from '@perennial/contract';

/** A request that brings the features of every row. */
export type GivenRequest = PredictRequest & { instances: unknown[] };

/**
 * A request that is answered later must bring its features: by key alone they would be those of the moment it is worked on, which nobody chose.
 * @throws InvalidRequestError
 */
export function requireInstances(request: PredictRequest): GivenRequest {
  const { instances } = request;
  if (instances !== undefined) return { ...request, instances };
  const message =
    'must be given where the answer comes later; by key alone only an answer at once can be asked for';
  throw new InvalidRequestError(`instances ${message}.`, [{ path: 'instances', message }]);
}
