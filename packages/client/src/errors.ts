import type { Problem } from '@perennial/contract';

/** The server answered with an error. `code` is one of the contract's error codes. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.title;
    this.problem = problem;
  }
}

/** No answer came from the server: it is not there, or the connection broke. */
export class ConnectionError extends Error {
  constructor(
    readonly baseUrl: string,
    options: { cause: unknown },
  ) {
    super(`No answer from ${baseUrl}. Is the platform running? Start it with: perennial up`, options);
    this.name = 'ConnectionError';
  }
}

/** The answer was not one that the contract allows: server and client are of different versions, or something stands between them. */
export class UnexpectedAnswerError extends Error {
  constructor(
    readonly route: string,
    readonly status: number,
    options?: { cause: unknown },
  ) {
    super(`The answer to ${route} (status ${status}) is not one this client understands.`, options);
    this.name = 'UnexpectedAnswerError';
  }
}
