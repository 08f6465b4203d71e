import { cacheUseOf, type ColumnPredictor } from '@perennial/serving';
import type { Metrics } from '../http/metrics.ts';
import { headerLengthOf, readInferRequest } from './infer-request.ts';
import { selectOutputs, writeInferResponse } from './infer-response.ts';
import type { Target } from './model-directory.ts';
import { readColumns } from './read-columns.ts';

export interface Inference {
  predictor: ColumnPredictor;
  metrics: Metrics;
}

/** A request of the protocol as it was sent. */
export interface InferenceRequest {
  target: Target;
  body: Buffer;
  /** The value of `Inference-Header-Content-Length`. */
  headerLength: string | undefined;
  /** The value of `Cache-Control`. */
  cacheControl: string | undefined;
}

/** What is answered, with the headers that say how it is to be read. */
export interface InferenceAnswer {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** Answers one inference, whatever brought it. @throws what reading the request and predicting throw */
export async function inferTensors(
  { target: { model, version }, body, headerLength, cacheControl }: InferenceRequest,
  { predictor, metrics }: Inference,
): Promise<InferenceAnswer> {
  const request = readInferRequest(body, headerLengthOf(headerLength));
  let outputs = request.outputs ?? [];
  const answer = await predictor.predict({
    model,
    version,
    cache: cacheUseOf(cacheControl),
    read: (signature) => {
      outputs = selectOutputs(signature, request);
      return readColumns(signature, request);
    },
  });
  metrics.predictions(answer, answer.rows);
  const written = writeInferResponse(answer, { id: request.id, outputs });
  return { headers: headersOf(written.headerLength), body: written.body };
}

function headersOf(headerLength: number | undefined): Record<string, string> {
  if (headerLength === undefined) return { 'content-type': 'application/json' };
  return {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(headerLength),
  };
}
