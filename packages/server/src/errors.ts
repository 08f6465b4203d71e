import { PerennialError } from '@perennial/contract';

export interface ConfigurationIssue {
  variable: string;
  message: string;
}

/** The environment holds a value the platform cannot start with. */
export class ConfigurationError extends Error {
  constructor(readonly issues: ConfigurationIssue[]) {
    super(
      `Bad configuration:\n${issues.map(({ variable, message }) => `  ${variable} ${message}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

/** The address could not be bound. */
export class ListenError extends Error {
  constructor(
    readonly address: string,
    options: { cause: unknown },
  ) {
    super(`Cannot listen on ${address}: ${whyNotBound(options.cause)}.`, options);
    this.name = 'ListenError';
  }
}

/** A process that was to serve an artifact did not come up, or does not answer any more. */
export class ArtifactServerError extends Error {
  constructor(
    readonly reason: string,
    /** What it last wrote to its standard error, oldest first. */
    readonly lastLines: readonly string[],
    options?: { cause: unknown },
  ) {
    super([`The artifact's server ${reason}.`, ...lastLines].join('\n'), options);
    this.name = 'ArtifactServerError';
  }
}

/** One of several serving processes could not start. */
export class ServingProcessError extends Error {
  constructor(
    readonly number: number,
    readonly reason: string,
  ) {
    super(`The serving process ${number} could not start: ${reason}`);
    this.name = 'ServingProcessError';
  }
}

const NOT_BOUND: Record<string, string> = {
  EADDRINUSE:
    'another process listens there already. Stop it, or choose another port (--port, PERENNIAL_PORT)',
  EACCES: 'this user may not. Ports below 1024 are for root; choose another (--port, PERENNIAL_PORT)',
  EADDRNOTAVAIL: 'this machine has no such address (--host, PERENNIAL_HOST)',
  ENOTFOUND: 'there is no such name (--host, PERENNIAL_HOST)',
};

function whyNotBound(cause: unknown): string {
  if (!(cause instanceof Error)) return 'the reason is unknown';
  const code = 'code' in cause ? String(cause.code) : '';
  return NOT_BOUND[code] ?? cause.message;
}

export class UnauthenticatedError extends PerennialError {
  readonly code = 'unauthenticated';
  constructor() {
    super('This request needs a valid token in the header Authorization: Bearer <token>.');
  }
}

export class ForbiddenError extends PerennialError {
  readonly code = 'forbidden';
  constructor(readonly needed: string) {
    super(`This request needs the role '${needed}'.`);
  }
}

/** The token is held to some models, and what was asked for is none of theirs: another's, of the whole installation, or not there at all. */
export class ForeignModelError extends PerennialError {
  readonly code = 'forbidden';
  constructor(
    readonly models: readonly string[],
    what: string,
  ) {
    super(`This caller is held to ${models.join(', ')}: ${what}`);
  }

  override get details() {
    return { models: this.models };
  }
}

/** A page from elsewhere made the browser send its session along, or the request does not say that none did. */
export class CrossSiteRequestError extends PerennialError {
  readonly code = 'forbidden';
  constructor() {
    super(
      "A signed-in browser's change is taken from the platform's own pages only: the header Origin must name this host.",
    );
  }
}

/** A caller has asked more often than it may. */
export class RateLimitedError extends PerennialError {
  readonly code = 'rate-limited';
  constructor(
    readonly requestsPerMinute: number,
    readonly retryAfterMilliseconds: number,
  ) {
    super(`More than ${requestsPerMinute} requests a minute: wait until the minute is over.`);
  }

  override get details() {
    return { requestsPerMinute: this.requestsPerMinute };
  }
}

/** An address has shown too many wrong tokens. */
export class TooManyFailuresError extends PerennialError {
  readonly code = 'rate-limited';
  constructor(readonly retryAfterMilliseconds: number) {
    super('Too many requests from this address had no valid token: wait until the minute is over.');
  }
}

/** A person could not be signed in by the identity provider. */
export class SignInFailedError extends PerennialError {
  readonly code: 'unauthenticated' | 'forbidden' | 'not-found' | 'unavailable';
  constructor(code: SignInFailedError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Without a token the platform answers to this machine's own names and pages only, so that no web page from elsewhere can reach it. */
export class ForeignHostError extends PerennialError {
  readonly code = 'forbidden';
  constructor() {
    super('Without an admin token only requests from this machine to localhost are answered.');
  }
}

export class NoSuchRouteError extends PerennialError {
  readonly code = 'not-found';
  constructor(readonly path: string) {
    super(`There is nothing at ${path.slice(0, 200)}.`);
  }
}

export class MethodNotAllowedError extends PerennialError {
  readonly code = 'method-not-allowed';
  constructor(readonly allowed: string[]) {
    super(`This address answers to ${allowed.join(', ')} only.`);
  }

  override get details() {
    return { allowed: this.allowed };
  }
}

export class BodyTooLargeError extends PerennialError {
  readonly code = 'too-large';
  constructor(readonly maxBytes: number) {
    super(`The body is larger than ${maxBytes} bytes. Split the request, or use a batch.`);
  }

  override get details() {
    return { maxBytes: this.maxBytes };
  }
}

export class MalformedJsonError extends PerennialError {
  readonly code = 'invalid-request';
  constructor(options: { cause: unknown }) {
    super(
      `The body is not valid JSON: ${options.cause instanceof Error ? options.cause.message.slice(0, 200) : ''}`,
      options,
    );
  }
}

/** The body's bytes are not UTF-8, which JSON is written in (RFC 8259, section 8.1). */
export class NotUtf8Error extends PerennialError {
  readonly code = 'invalid-request';
  constructor() {
    super('The body is not valid UTF-8.');
  }
}

export class UnsupportedMediaTypeError extends PerennialError {
  readonly code = 'unsupported-media-type';
  constructor(readonly given: string) {
    super(`The content type '${given.slice(0, 80)}' is not supported: send application/json.`);
  }
}

/** The key was used for another request, or its request is still being worked on. */
export class IdempotencyConflictError extends PerennialError {
  readonly code = 'idempotency-conflict';
  constructor(readonly reason: 'mismatch' | 'in-progress') {
    super(
      reason === 'mismatch'
        ? 'This Idempotency-Key was used for a different request.'
        : 'The request with this Idempotency-Key is still being worked on: ask again in a moment.',
    );
  }

  override get transient() {
    return this.reason === 'in-progress';
  }
}

/** Several files wait to be tried, each of which is held in memory. */
export class TooManyImportsError extends PerennialError {
  readonly code = 'overloaded';
  constructor(readonly limit: number) {
    super(`${limit} files wait to be tried already. Try again in a minute.`);
  }

  override get transient() {
    return true;
  }

  override get details() {
    return { limit: this.limit };
  }
}

/** MLflow's API has it, and here it cannot be. */
export class NotOfferedToMlflowError extends PerennialError {
  readonly code = 'method-not-allowed';
  /** The model that is there already, where it was to be created. */
  readonly existing: string | undefined;
  constructor(what: string, why: string, { exists }: { exists?: string | undefined } = {}) {
    super(
      exists === undefined
        ? `MLflow's clients cannot ${what} here: ${why}.`
        : `Registered model '${exists}' already exists.`,
    );
    this.existing = exists;
  }
}

/** Several large requests are being read already, each of which takes much memory. */
export class TooManyUploadsError extends PerennialError {
  readonly code = 'overloaded';
  constructor(readonly limit: number) {
    super(`${limit} large files are being sent already. Try again in a minute.`);
  }

  override get transient() {
    return true;
  }

  override get details() {
    return { limit: this.limit };
  }
}

/** How a model is served is said in its pipeline's file, which would say it again at the next load. */
export class PipelineEndpointError extends PerennialError {
  readonly code = 'conflict';

  constructor(readonly pipeline: string) {
    super(
      `How '${pipeline}' is served is said in the file of its pipeline, under 'serving': change it there, and load the pipeline again.`,
    );
  }

  override get details() {
    return { pipeline: this.pipeline };
  }
}
