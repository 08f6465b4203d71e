import { describe, expect, it } from 'vitest';
import {
  ConflictError,
  ERROR_STATUS,
  InvalidIdError,
  InvalidRequestError,
  NotFoundError,
  RemovedError,
  type PerennialError,
  TransitionRefusedError,
  describeError,
  type MissingKind,
} from './errors.ts';

describe('the table of error codes', () => {
  it.each(Object.entries(ERROR_STATUS))('answers %s with %i, which is an error', (code, status) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  });

  it('answers 404 for everything that is not there, and for nothing else', () => {
    const codes = Object.entries(ERROR_STATUS);
    const missing = codes.filter(([, status]) => status === 404).map(([code]) => code);
    expect(missing).toEqual(codes.map(([code]) => code).filter((code) => code.endsWith('not-found')));
  });
});

describe('an error of ours', () => {
  const errors: [PerennialError, string, object][] = [
    [new InvalidIdError('run', 'x'), 'invalid-id', {}],
    [new InvalidRequestError('No.'), 'invalid-request', {}],
    [
      new InvalidRequestError('No.', [{ path: 'a', message: 'b' }]),
      'invalid-request',
      { issues: [{ path: 'a', message: 'b' }] },
    ],
    [new NotFoundError('model', 'm'), 'model-not-found', { model: 'm' }],
    [
      new TransitionRefusedError({ kind: 'run', id: 'r' }, 'failed', 'cancel'),
      'transition-refused',
      { kind: 'run', id: 'r', state: 'failed', event: 'cancel' },
    ],
    [new ConflictError('Changed.'), 'conflict', {}],
  ];

  it.each(errors)('%s tells its code, its message and what it is about', (error, code, details) => {
    expect(describeError(error)).toEqual({ code, message: error.message, details });
    expect(error.name).toBe(error.constructor.name);
    expect(error.transient).toBe(false);
  });

  it('keeps its cause to itself', () => {
    const cause = new Error('password=secret');
    const error = new ConflictError('Changed.', { cause });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(describeError(error))).not.toContain('secret');
  });

  it('shortens what a caller sent', () => {
    const long = 'x'.repeat(10_000);
    expect(new InvalidIdError('run', long).message.length).toBeLessThan(200);
    expect(new NotFoundError('model', long).message.length).toBeLessThan(200);
  });

  it('has a code for everything that can be missing', () => {
    const kinds: Record<MissingKind, true> = {
      pipeline: true,
      run: true,
      dataset: true,
      model: true,
      version: true,
      release: true,
      alias: true,
      prediction: true,
      artifact: true,
      backfill: true,
      token: true,
      tag: true,
      alert: true,
      webhook: true,
      delivery: true,
      reproduction: true,
      attestation: true,
      endpoint: true,
      precomputation: true,
      precomputed: true,
      entity: true,
      batch: true,
      'async-prediction': true,
    };
    for (const kind of Object.keys(kinds) as MissingKind[]) {
      expect(ERROR_STATUS[new NotFoundError(kind, 'x').code]).toBe(404);
    }
  });
});

it.each([new Error('connect to 10.0.0.1 failed'), 'a text', undefined, { code: 'not-found' }])(
  'what is not an error of ours (%s) is told of without a word about it',
  (error) => {
    expect(describeError(error)).toEqual({ code: 'internal', message: 'An internal error occurred.' });
  },
);

describe('something that was removed', () => {
  it('is told from what never was, and counts as missing for whoever can do without it', () => {
    const error = new RemovedError('artifact', 'sha256:ab', new Date('2001-02-03T04:05:06Z'));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(describeError(error)).toEqual({
      code: 'artifact-removed',
      message: "The artifact 'sha256:ab' was removed on 2001-02-03; what is on record of it stays.",
      details: { artifact: 'sha256:ab', removedAt: '2001-02-03T04:05:06.000Z' },
    });
    expect(ERROR_STATUS[error.code]).toBe(410);
  });
});
