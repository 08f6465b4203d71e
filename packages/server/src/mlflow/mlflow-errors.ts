import { describeError, ERROR_STATUS, type ErrorCode } from '@perennial/contract';
import { NotOfferedToMlflowError } from '../errors.ts';

/** MLflow's names of what can go wrong, as far as they are used here (mlflow/protos/databricks.proto). */
export type MlflowErrorCode =
  | 'BAD_REQUEST'
  | 'INVALID_PARAMETER_VALUE'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_DOES_NOT_EXIST'
  | 'RESOURCE_ALREADY_EXISTS'
  | 'RESOURCE_CONFLICT'
  | 'ENDPOINT_NOT_FOUND'
  | 'FEATURE_DISABLED'
  | 'REQUEST_LIMIT_EXCEEDED'
  | 'INTERNAL_ERROR'
  | 'TEMPORARILY_UNAVAILABLE'
  | 'DEADLINE_EXCEEDED';

export interface MlflowError {
  status: number;
  body: { error_code: MlflowErrorCode; message: string };
}

type OurStatus = (typeof ERROR_STATUS)[ErrorCode];

/** The name and the status that MLflow has for each of ours (mlflow/exceptions.py). Its clients repeat a request for minutes after 429 and after 500, 502, 503 and 504. */
const MLFLOW_ERRORS: Record<OurStatus, { code: MlflowErrorCode; status: number }> = {
  400: { code: 'INVALID_PARAMETER_VALUE', status: 400 },
  401: { code: 'UNAUTHENTICATED', status: 401 },
  403: { code: 'PERMISSION_DENIED', status: 403 },
  404: { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 },
  405: { code: 'ENDPOINT_NOT_FOUND', status: 404 },
  409: { code: 'RESOURCE_CONFLICT', status: 409 },
  410: { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 },
  413: { code: 'BAD_REQUEST', status: 400 },
  415: { code: 'BAD_REQUEST', status: 400 },
  422: { code: 'INVALID_PARAMETER_VALUE', status: 400 },
  429: { code: 'REQUEST_LIMIT_EXCEEDED', status: 429 },
  500: { code: 'INTERNAL_ERROR', status: 500 },
  503: { code: 'TEMPORARILY_UNAVAILABLE', status: 503 },
  504: { code: 'DEADLINE_EXCEEDED', status: 504 },
  507: { code: 'INTERNAL_ERROR', status: 500 },
};

/** Any error as MLflow's clients understand it. */
export function toMlflowError(error: unknown): MlflowError {
  const { code: ours, message } = describeError(error);
  if (error instanceof NotOfferedToMlflowError) return notOffered(error);
  if (ours === 'not-found') return { status: 404, body: { error_code: 'ENDPOINT_NOT_FOUND', message } };
  const { code, status } = MLFLOW_ERRORS[ERROR_STATUS[ours]];
  return { status, body: { error_code: code, message } };
}

function notOffered({ existing, message }: NotOfferedToMlflowError): MlflowError {
  // MLflow's own server answers FEATURE_DISABLED with 500, after which its clients ask again and again. 501 is what it has for what is not implemented, and asked once.
  return existing === undefined
    ? { status: 501, body: { error_code: 'FEATURE_DISABLED', message } }
    : { status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS', message } };
}
