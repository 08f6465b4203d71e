import { PerennialError, type BackendName } from '@perennial/contract';
import {
  BackendUnavailableError,
  DivergedError,
  NetworkShapeError,
  ParityError,
  ReportedError,
  TrainFunctionError,
  TrainingFailedError,
  UnsupportedLayerError,
} from './errors.ts';
import type { Failure } from './job.ts';

/** An error as it leaves the training process; one that nobody foresaw says its own message, its stack goes to the process's output. */
export function failureOf(error: unknown): Failure {
  if (error instanceof PerennialError) {
    return { name: error.name, code: error.code, message: error.message, details: error.details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { name: 'Error', code: 'training-failed', message };
}

/** The error again, of its own class, in the parent. `lastLines` are what the process wrote before it. */
export function errorOf(failure: Failure, lastLines: string[]): PerennialError {
  const details = failure.details ?? {};
  if (failure.name === 'TrainingFailedError') {
    const { reason, ...end } = details;
    return new TrainingFailedError(reason as string, { ...end, lastLines });
  }
  const known = RESTORED[failure.name];
  if (known !== undefined) return known(details);
  if (failure.name === 'Error') return new TrainingFailedError(failure.message, { lastLines });
  return new ReportedError(failure);
}

/** By class name: each class gives its fields as its details, and takes them back. */
const RESTORED: Partial<Record<string, (details: Record<string, unknown>) => PerennialError>> = {
  TrainFunctionError: ({ reason, trace }) => new TrainFunctionError(reason as string, trace as string[]),
  UnsupportedLayerError: ({ layer, kind, supported }) =>
    new UnsupportedLayerError(layer as string, kind as string, supported as string[]),
  NetworkShapeError: ({ reason }) => new NetworkShapeError(reason as string),
  DivergedError: ({ epoch, learningRate }) => new DivergedError(epoch as number, learningRate as number),
  ParityError: ({ maxDifference, tolerance, rows }) =>
    new ParityError(maxDifference as number, tolerance as number, rows as number),
  BackendUnavailableError: ({ backend, missing }) =>
    new BackendUnavailableError(backend as BackendName, missing as string),
};
