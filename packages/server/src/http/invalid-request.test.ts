import { describe, expect, it } from 'vitest';
import { InvalidRequestError, ROUTES, type Issue } from '@perennial/contract';
import { z } from 'zod';
import { checkPart } from './invalid-request.ts';

function refusal(schema: z.ZodType, value: unknown): InvalidRequestError {
  try {
    checkPart('body', schema, value);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error;
  }
  throw new Error('The value was not refused.');
}
const issuesOf = (schema: z.ZodType, value: unknown): Issue[] => refusal(schema, value).issues;

it('a part that is right comes back with its defaults', () => {
  expect(checkPart('body', ROUTES.startRun.body, {})).toEqual({ force: false, trigger: 'request' });
});

describe('what is wrong is told in words', () => {
  const start = ROUTES.startRun.body;
  const truth = ROUTES.postGroundTruth.body;
  const decision = ROUTES.approveRelease.body;
  const id = 'pred_0190b0a4-0000-7000-8000-000000000000';

  it.each<[string, z.ZodType, unknown, Issue[]]>([
    ['no object', start, [], [{ path: '', message: 'must be an object, not an array' }]],
    ['null', start, null, [{ path: '', message: 'must be an object, not null' }]],
    [
      'a text for a flag',
      start,
      { force: 'yes' },
      [{ path: 'force', message: 'must be true or false, not a text' }],
    ],
    ['an unknown field', start, { forse: true }, [{ path: 'forse', message: 'is not known here' }]],
    [
      'a time that is none',
      start,
      { asOf: 'yesterday' },
      [{ path: 'asOf', message: 'must be an instant in ISO 8601 with a zone, such as 2001-03-01T00:00:00Z' }],
    ],
    ['a missing field', decision, {}, [{ path: 'reason', message: 'is missing' }]],
    ['an empty text', decision, { reason: '' }, [{ path: 'reason', message: 'must not be empty' }]],
    [
      'a text too long',
      decision,
      { reason: 'x'.repeat(2_001) },
      [{ path: 'reason', message: 'must have at most 2000 characters' }],
    ],
    ['an empty list', truth, { items: [] }, [{ path: 'items', message: 'must not be empty' }]],
    ['no list', truth, { items: {} }, [{ path: 'items', message: 'must be an array, not an object' }]],
    [
      'a member of a list that is no object',
      truth,
      { items: [7] },
      [{ path: 'items[0]', message: 'must be an object, not a number' }],
    ],
    [
      'a value of one of several types',
      truth,
      {
        items: [
          { prediction: id, label: true },
          { prediction: id, label: {} },
        ],
      },
      [{ path: 'items[1].label', message: 'must be true or false, a number or a text, not an object' }],
    ],
    [
      'an object that is closest to one of two forms',
      truth,
      { items: [{ model: 'm', key: 7, label: true }] },
      [{ path: 'items[0].key', message: 'must be a text, not a number' }],
    ],
    [
      'an id that is none',
      truth,
      { items: [{ prediction: 'x', label: true }] },
      [{ path: 'items[0].prediction', message: 'must look like pred_<uuid>' }],
    ],
    [
      'a number too small',
      z.object({ n: z.int().min(3) }),
      { n: 2 },
      [{ path: 'n', message: 'must be at least 3' }],
    ],
    [
      'a number too big',
      z.object({ n: z.number().max(3) }),
      { n: 4 },
      [{ path: 'n', message: 'must be at most 3' }],
    ],
    [
      'a fraction for a whole number',
      z.object({ n: z.int() }),
      { n: 1.5 },
      [{ path: 'n', message: 'must be a whole number, not a number' }],
    ],
    [
      'a number that is none',
      ROUTES.listRuns.query,
      { limit: 'many' },
      [{ path: 'limit', message: 'must be a number' }],
    ],
    [
      'a word that is none of some',
      z.object({ state: z.enum(['on', 'off']) }),
      { state: 'half' },
      [{ path: 'state', message: 'must be one of on, off' }],
    ],
    ['another literal', z.object({ v: z.literal(1) }), { v: 2 }, [{ path: 'v', message: 'must be 1' }]],
  ])('%s', (...[, schema, value, issues]) => {
    expect(issuesOf(schema, value)).toEqual(issues);
  });
});

describe('the message', () => {
  it('is a sentence with the first thing that is wrong', () => {
    expect(refusal(ROUTES.approveRelease.body, {}).message).toBe('The body is not valid: reason is missing.');
    expect(refusal(ROUTES.approveRelease.body, 'x').message).toBe('The body must be an object, not a text.');
  });

  it('says how much more is wrong', () => {
    expect(refusal(ROUTES.startRun.body, { force: 1, a: 1, b: 1 }).message).toBe(
      'The body is not valid: force must be true or false, not a number (and 2 more).',
    );
  });

  it('holds no more than twenty issues, however many there are', () => {
    const items = Array.from({ length: 1_000 }, () => ({ model: 'm', key: 'k' }));
    const { issues, message } = refusal(ROUTES.postGroundTruth.body, { items });
    expect(issues).toHaveLength(20);
    expect(message).toContain('(and 999 more)');
  });

  it('does not repeat what was sent', () => {
    const error = refusal(ROUTES.approveRelease.body, { reason: { password: 'hunter2' } });
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2');
  });
});
