/**
 * Every way a request can fail, with the HTTP status it is answered with. A code without a status does not compile,
 * because {@link ErrorCode} is read off this table.
 */
export const ERROR_STATUS = {
  'invalid-request': 400,
  'invalid-id': 400,
  'invalid-instance': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'pipeline-not-found': 404,
  'run-not-found': 404,
  'dataset-not-found': 404,
  'model-not-found': 404,
  'version-not-found': 404,
  'release-not-found': 404,
  'alias-not-found': 404,
  'prediction-not-found': 404,
  'artifact-not-found': 404,
  'backfill-not-found': 404,
  'stream-not-found': 404,
  'token-not-found': 404,
  'tag-not-found': 404,
  'alert-not-found': 404,
  'webhook-not-found': 404,
  'delivery-not-found': 404,
  'reproduction-not-found': 404,
  'attestation-not-found': 404,
  'endpoint-not-found': 404,
  'precomputation-not-found': 404,
  'precomputed-not-found': 404,
  'entity-not-found': 404,
  'batch-not-found': 404,
  'async-prediction-not-found': 404,
  'result-expired': 410,
  'dataset-removed': 410,
  'artifact-removed': 410,
  'method-not-allowed': 405,
  conflict: 409,
  'no-champion': 409,
  'mode-not-served': 409,
  'version-not-approved': 409,
  'lease-lost': 409,
  'transition-refused': 409,
  'release-refused': 403,
  'signature-invalid': 500,
  'idempotency-conflict': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'pipeline-invalid': 422,
  'source-invalid': 422,
  'data-invalid': 422,
  'training-failed': 422,
  'connection-unknown': 422,
  'artifact-invalid': 422,
  'rate-limited': 429,
  internal: 500,
  'artifact-corrupt': 500,
  'storage-full': 507,
  unavailable: 503,
  overloaded: 503,
  'timed-out': 504,
} as const satisfies Record<string, number>;
export type ErrorCode = keyof typeof ERROR_STATUS;

/** How an error travels and is kept: in problem documents, run events and logs. */
export interface ErrorDescription {
  code: ErrorCode;
  message: string;
  details?: Record<string, unknown>;
}

/**
 * The base of every error the platform throws on purpose. Its message is written for the person who reads the response; it never
 * holds a secret, a stack or a path of the machine that is not theirs.
 */
export abstract class PerennialError extends Error {
  abstract readonly code: ErrorCode;

  /** The ids and values the error is about, safe to show. */
  get details(): Record<string, unknown> {
    return {};
  }

  /** Whether the same request may succeed later without a change: network, lock, capacity. */
  get transient(): boolean {
    return false;
  }

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What an error of ours says to others; an error that is not ours says only that it happened. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof PerennialError)) return { code: 'internal', message: 'An internal error occurred.' };
  return { code: error.code, message: error.message, details: error.details };
}

export class InvalidIdError extends PerennialError {
  readonly code = 'invalid-id';
  constructor(
    readonly kind: string,
    readonly text: string,
  ) {
    super(`Not a valid ${kind} id: '${text.slice(0, 80)}'.`);
  }
}

/** One thing that is wrong with a request: where, and what is allowed there. */
export interface Issue {
  /** Path to the value, such as `instances[3].distance`. */
  path: string;
  message: string;
}

export class InvalidRequestError extends PerennialError {
  readonly code = 'invalid-request';
  constructor(
    message: string,
    readonly issues: Issue[] = [],
  ) {
    super(message);
  }

  override get details() {
    return this.issues.length > 0 ? { issues: this.issues } : {};
  }
}

/** What can be asked for by name or id and may be absent, with the error code that says so. */
export type MissingKind =
  | 'pipeline'
  | 'run'
  | 'dataset'
  | 'model'
  | 'version'
  | 'release'
  | 'alias'
  | 'prediction'
  | 'artifact'
  | 'backfill'
  | 'token'
  | 'tag'
  | 'alert'
  | 'webhook'
  | 'delivery'
  | 'reproduction'
  | 'attestation'
  | 'endpoint'
  | 'precomputation'
  | 'precomputed'
  | 'entity'
  | 'batch'
  | 'async-prediction';

/** Something that was asked for by its id or name is not there. */
export class NotFoundError extends PerennialError {
  readonly code: `${MissingKind}-not-found` | `${RemovableKind}-removed`;
  constructor(
    readonly kind: MissingKind,
    readonly id: string,
  ) {
    super(`There is no ${kind} '${id.slice(0, 120)}'.`);
    this.code = `${kind}-not-found`;
  }

  override get details() {
    return { [this.kind]: this.id };
  }
}

/** What retention may remove while its record stays. */
export type RemovableKind = 'dataset' | 'artifact';

/** Something is on record, and its bytes are not kept any more. */
export class RemovedError extends NotFoundError {
  override readonly code: `${RemovableKind}-removed`;
  constructor(
    override readonly kind: RemovableKind,
    id: string,
    /** When it was removed; null where that is not known yet. */
    readonly removedAt: Date | null = null,
  ) {
    super(kind, id);
    this.code = `${kind}-removed`;
    const when = removedAt === null ? '' : ` on ${removedAt.toISOString().slice(0, 10)}`;
    this.message = `The ${kind} '${id.slice(0, 120)}' was removed${when}; what is on record of it stays.`;
  }

  override get details() {
    return { [this.kind]: this.id, ...(this.removedAt && { removedAt: this.removedAt.toISOString() }) };
  }
}

/** A state machine does not allow this event in the state the thing is in. */
export class TransitionRefusedError extends PerennialError {
  readonly code = 'transition-refused';
  constructor(
    readonly subject: { kind: string; id: string },
    readonly state: string,
    readonly event: string,
  ) {
    super(`The ${subject.kind} '${subject.id}' is ${state}: '${event}' is not possible from there.`);
  }

  override get details() {
    return { ...this.subject, state: this.state, event: this.event };
  }
}

/** Someone else changed the thing first: what the request was decided on is no longer so. */
export class ConflictError extends PerennialError {
  readonly code = 'conflict';
}

/** The work has been given to another worker since: what this one would write no longer counts. */
export class LeaseLostError extends PerennialError {
  readonly code = 'lease-lost';
  constructor(
    readonly subject: { kind: string; id: string },
    readonly fence: { held: number; current: number },
  ) {
    super(`The ${subject.kind} '${subject.id}' was taken over by another worker.`);
  }

  override get details() {
    return { ...this.subject, ...this.fence };
  }
}
