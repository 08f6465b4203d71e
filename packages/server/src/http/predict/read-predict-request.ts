import { predictRequestSchema, type PredictRequest } from '@perennial/contract';
import { isPlainRequest } from '@perennial/serving/online';
import { checkPart } from '../invalid-request.ts';
import { parseJson } from '../json-body.ts';

/** The body of a prediction's request. @throws NotUtf8Error, MalformedJsonError, InvalidRequestError saying what is wrong */
export function readPredictRequest(bytes: Uint8Array): PredictRequest {
  const body = parseJson(bytes);
  return isPlainRequest(body) ? body : checkPart('body', predictRequestSchema, body);
}
