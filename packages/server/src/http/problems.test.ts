import { describe, expect, it } from 'vitest';
import {
  ConflictError,
  ERROR_STATUS,
  NotFoundError,
  PerennialError,
  problemSchema,
} from '@perennial/contract';
import {
  MethodNotAllowedError,
  RateLimitedError,
  TooManyFailuresError,
  UnauthenticatedError,
} from '../errors.ts';
import { problemHeaders, toProblem } from './problems.ts';

class OverloadedError extends PerennialError {
  readonly code = 'overloaded';
}

describe('a problem document', () => {
  it('says what happened, of which kind, with which status, in which request', () => {
    const problem = toProblem(new NotFoundError('model', 'm'), 'request-1');
    expect(problemSchema.parse(problem)).toEqual({
      type: 'urn:perennial:error:model-not-found',
      title: 'model-not-found',
      status: 404,
      detail: "There is no model 'm'.",
      instance: 'request-1',
      details: { model: 'm' },
    });
  });

  it('leaves out details that there are none of', () => {
    expect(toProblem(new ConflictError('Changed.'), 'r')).not.toHaveProperty('details');
  });

  it('of a fault of ours says nothing of it', () => {
    const problem = toProblem(new Error('connect ECONNREFUSED 10.0.0.7:5432 password=hunter2'), 'r');
    expect(problem).toMatchObject({ title: 'internal', status: ERROR_STATUS.internal });
    expect(JSON.stringify(problem)).not.toMatch(/10\.0\.0\.7|hunter2/);
  });
});

describe('the headers of a problem', () => {
  it('say that it is one', () => {
    expect(problemHeaders(new Error('x'))).toEqual({ 'content-type': 'application/problem+json' });
  });

  it('say when to try again after an overload', () => {
    expect(problemHeaders(new OverloadedError('Busy.'))).toMatchObject({ 'retry-after': '1' });
    expect(problemHeaders(new ConflictError('Changed.'))).not.toHaveProperty('retry-after');
  });

  it('say which methods are allowed (RFC 9110, section 15.5.6)', () => {
    expect(problemHeaders(new MethodNotAllowedError(['GET', 'POST']))).toMatchObject({ allow: 'GET, POST' });
  });

  it('say how to authenticate (RFC 9110, section 15.5.2)', () => {
    expect(problemHeaders(new UnauthenticatedError())).toMatchObject({ 'www-authenticate': 'Bearer' });
  });
});

describe('a caller who asked too often', () => {
  it('is told its limit, and in how many seconds it may ask again', () => {
    expect(problemHeaders(new RateLimitedError(600, 12_001))).toMatchObject({
      'retry-after': '13',
      'ratelimit-policy': '"minute";q=600;w=60',
      ratelimit: '"minute";r=0;t=13',
    });
  });

  it('with wrong tokens is told when to come back', () => {
    expect(problemHeaders(new TooManyFailuresError(1))).toMatchObject({ 'retry-after': '1' });
  });
});
