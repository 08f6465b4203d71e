import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  columnNameSchema,
  daySchema,
  digestSchema,
  featureNameSchema,
  instantSchema,
  nameSchema,
  textSchema,
} from './names.ts';

const cases: Record<string, { schema: z.ZodType; good: string[]; bad: string[]; message: RegExp }> = {
  'a name': {
    schema: nameSchema,
    good: ['a', 'flight-delay', 'm2', 'a'.repeat(63)],
    bad: ['', 'A', '2m', '-a', 'a_b', 'a/b', '..', 'a'.repeat(64), 'a\n', 'ä'],
    message: /^must be 1 to 63 lower-case letters/,
  },
  'the name of a feature': {
    schema: featureNameSchema,
    good: ['a', '_a', 'A1', 'a'.repeat(63)],
    bad: ['', '1a', 'a-b', 'a b', 'a'.repeat(64), 'é'],
    message: /^must be an identifier/,
  },
  'the name of a column': {
    schema: columnNameSchema,
    good: ['a', 'Größe (m²)', '"quoted"', 'x'.repeat(128)],
    bad: ['', 'a\u0000', 'a\nb', 'x'.repeat(129)],
    message: /^must be 1 to 128 characters/,
  },
  'a digest': {
    schema: digestSchema,
    good: [`sha256:${'0'.repeat(64)}`],
    bad: [
      '',
      'sha256:',
      `sha256:${'A'.repeat(64)}`,
      `sha256:${'0'.repeat(63)}`,
      `sha256:../${'0'.repeat(61)}`,
    ],
    message: /^must be sha256:/,
  },
  'an instant': {
    schema: instantSchema,
    good: ['2001-03-01T00:00:00Z', '2001-03-01T00:00:00.123456+02:00', '2000-02-29T12:00:00-05:00'],
    bad: ['', '2001-03-01', '2001-03-01T00:00:00', '2001-02-29T00:00:00Z', '2001-03-01T24:00:00Z', 'now'],
    message: /^must be an instant in ISO 8601 with a zone/,
  },
  'an instant that the database can hold': {
    schema: instantSchema,
    good: ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59+01:00'],
    bad: ['0000-12-31T23:59:59Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00'],
    message: /^must be of the years 1 to 9999 in UTC$/,
  },
  'a day': {
    schema: daySchema,
    good: ['1970-01-01', '2000-02-29', '9998-12-31'],
    bad: ['', '2001-02-29', '2001-3-1', '20010301', '2001-03-01T00:00:00Z'],
    message: /^must be a day such as/,
  },
  'a day that an id can be of': {
    schema: daySchema,
    good: ['1970-01-01'],
    bad: ['0000-01-01', '1969-12-31', '9999-01-01'],
    message: /^must be of the years 1970 to 9998$/,
  },
  'a text that can be kept': {
    schema: textSchema({ min: 1, max: 5 }),
    good: ['a', 'ok 😀', '\n\t', '\ufffd'],
    bad: ['a\u0000', '\ud83d', '\ude00x'],
    message: /^must be text without NUL characters and unpaired surrogates$/,
  },
};

describe.each(Object.entries(cases))('%s', (_, { schema, good, bad, message }) => {
  it.each(good)('may be %j', (text) => {
    expect(schema.parse(text)).toBe(text);
  });

  it.each(bad)('may not be %j, and says once what is allowed', (text) => {
    const issues = schema.safeParse(text).error?.issues ?? [];
    expect(issues).toHaveLength(1);
    expect(issues[0]?.message).toMatch(message);
  });
});
