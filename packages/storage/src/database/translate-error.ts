import { DrizzleQueryError } from 'drizzle-orm';
import { PerennialError, RemovedError } from '@perennial/contract';
import {
  DatabaseAddressError,
  DatabaseError,
  DatabaseUnavailableError,
  StorageFullError,
  TransactionConflictError,
  UniqueViolationError,
} from '../errors.ts';

/** Codes of Node for a connection that could not be made or was lost. */
const CONNECTION_CODES = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** SQLSTATEs of a server that is starting, stopping or out of connections (PostgreSQL manual, appendix A). */
const UNAVAILABLE_STATES = new Set(['57P01', '57P02', '57P03', '53300']);

/** serialization_failure, deadlock_detected, lock_not_available. */
const CONFLICT_STATES = new Set(['40001', '40P01', '55P03']);

const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
const UNKNOWN_DATABASE = '3D000';
/** Ours, of the trigger `refuse_removed`; its detail is the artifact's digest. */
const ARTIFACT_REMOVED = 'PR001';

/**
 * Throws the error of ours that a driver's error stands for, keeping the driver's as `cause`. An error that is not the database's (a defect,
 * or one of ours) goes through unchanged.
 */
export function rethrowDatabaseError(error: unknown): never {
  throw translateDatabaseError(error);
}

/**
 * As {@link rethrowDatabaseError}, but returns what is to be thrown.
 * @param context whether the connection is known to be lost: the driver's errors then have no code that would say so
 */
export function translateDatabaseError(
  error: unknown,
  context: { lost: boolean } = { lost: false },
): unknown {
  if (error instanceof PerennialError) return error;
  const source = error instanceof DrizzleQueryError ? error.cause : error;
  if (source instanceof PerennialError) return source;
  const options = { cause: error };
  if (context.lost) return new DatabaseUnavailableError(options);
  const { code, constraint, detail } = driverFields(source);
  if (code === undefined) return error;
  if (CONNECTION_CODES.has(code) || UNAVAILABLE_STATES.has(code) || code.startsWith('08')) {
    return new DatabaseUnavailableError(options);
  }
  if (CONFLICT_STATES.has(code)) return new TransactionConflictError(code, options);
  if (code === UNIQUE_VIOLATION) return new UniqueViolationError(constraint ?? 'unknown', options);
  if (code === ARTIFACT_REMOVED) return removed(detail, options);
  if (code === DISK_FULL) return new StorageFullError('database', options);
  if (code === UNKNOWN_DATABASE || code.startsWith('28'))
    return new DatabaseAddressError(refusal(code), options);
  return isSqlState(code) ? new DatabaseError(code, options) : error;
}

function removed(digest: string | undefined, options: ErrorOptions): RemovedError {
  return Object.assign(new RemovedError('artifact', digest ?? 'unknown'), options);
}

function refusal(code: string): string {
  return code === UNKNOWN_DATABASE ? 'there is no database of that name' : 'the user or password is refused';
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code);
}

/** The fields that node-postgres puts on its errors. */
function driverFields(error: unknown): { code?: string; constraint?: string; detail?: string } {
  if (!(error instanceof Error)) return {};
  const { code, constraint, detail } = error as Error & Record<string, unknown>;
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    ...(typeof detail === 'string' ? { detail } : {}),
  };
}
