import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MISSING_TIMESTAMP, type Signature } from '@perennial/contract';
import { InvalidInstanceError } from '../errors.ts';
import { compileReader } from './instance-reader.ts';

const signature: Signature = {
  inputs: [
    { name: 'distance', type: 'number' },
    { name: 'weekend', type: 'boolean' },
    { name: 'origin', type: 'text' },
    { name: 'date', type: 'timestamp' },
  ],
  output: { kind: 'binary', threshold: 0.5 },
};
const read = compileReader(signature);
const good = { distance: 500, weekend: true, origin: 'ORD', date: '2001-01-31T08:30:00Z' };

function issuesOf(instances: readonly unknown[], reader = read): InvalidInstanceError {
  try {
    reader(instances);
  } catch (error) {
    if (error instanceof InvalidInstanceError) return error;
    throw error;
  }
  throw new Error('The instances were not refused.');
}

describe('an instance that fits', () => {
  test('becomes one row of each column in the tensor types of the contract', () => {
    const batch = read([good, { ...good, distance: -1.5, weekend: false, origin: 'LAX', date: 0 }]);
    expect(batch.rows).toBe(2);
    expect(batch.columns['distance']).toEqual(new Float64Array([500, -1.5]));
    expect(batch.columns['weekend']).toEqual(new Float64Array([1, 0]));
    expect(batch.columns['origin']).toEqual(['ORD', 'LAX']);
    expect(batch.columns['date']).toEqual(new BigInt64Array([980_929_800_000n, 0n]));
  });

  test('may have its fields in any order, and no prototype', () => {
    const reversed = Object.fromEntries(Object.entries(good).reverse());
    const bare: unknown = Object.assign(Object.create(null) as object, good);
    expect(read([reversed, bare]).columns['origin']).toEqual(['ORD', 'ORD']);
  });

  test('may say null for what is missing', () => {
    const batch = read([{ distance: null, weekend: null, origin: null, date: null }]);
    expect(batch.columns['distance']).toEqual(new Float64Array([NaN]));
    expect(batch.columns['weekend']).toEqual(new Float64Array([NaN]));
    expect(batch.columns['origin']).toEqual(['']);
    expect(batch.columns['date']).toEqual(new BigInt64Array([MISSING_TIMESTAMP]));
  });

  test('may hold a text of 10,000 characters', () => {
    const origin = 'x'.repeat(10_000);
    expect(read([{ ...good, origin }]).columns['origin']).toEqual([origin]);
  });

  test('keeps any finite number and any storable text as it is', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
        (distance, origin) => {
          const { columns } = read([{ ...good, distance, origin }]);
          expect(columns['distance']).toEqual(new Float64Array([distance]));
          expect(columns['origin']).toEqual([origin]);
        },
      ),
    );
  });
});

describe('an instance that does not fit', () => {
  test.each<[string, unknown, string, RegExp]>([
    [
      'an unknown field',
      { ...good, colour: 'red' },
      'instances[0].colour',
      /not a field of this model; allowed are distance, weekend, origin, date/,
    ],
    [
      'a missing field',
      { distance: 1, weekend: true, origin: 'ORD' },
      'instances[0].date',
      /is missing; send null/,
    ],
    ['an undefined field', { ...good, date: undefined }, 'instances[0].date', /not undefined/],
    [
      'a number as a text',
      { ...good, distance: '500' },
      'instances[0].distance',
      /must be a finite number or null, not text/,
    ],
    ['NaN', { ...good, distance: NaN }, 'instances[0].distance', /not NaN/],
    ['infinity', { ...good, distance: -Infinity }, 'instances[0].distance', /not -Infinity/],
    [
      'a boolean as a number',
      { ...good, weekend: 1 },
      'instances[0].weekend',
      /must be true, false or null, not a number/,
    ],
    ['a boolean as a text', { ...good, weekend: 'true' }, 'instances[0].weekend', /not text/],
    [
      'a number for a text',
      { ...good, origin: 5 },
      'instances[0].origin',
      /must be text or null, not a number/,
    ],
    [
      'a text that is too long',
      { ...good, origin: 'x'.repeat(10_001) },
      'instances[0].origin',
      /at most 10000 characters, not 10001/,
    ],
    ['a text with NUL', { ...good, origin: 'a\0b' }, 'instances[0].origin', /without NUL/],
    [
      'a text with half a surrogate pair',
      { ...good, origin: 'a\ud800' },
      'instances[0].origin',
      /unpaired surrogates/,
    ],
    ['an impossible date', { ...good, date: '2001-02-30' }, 'instances[0].date', /must be an ISO 8601 date/],
    [
      'a fraction of a millisecond',
      { ...good, date: 0.5 },
      'instances[0].date',
      /whole milliseconds since 1970/,
    ],
    ['an array for a value', { ...good, distance: [1] }, 'instances[0].distance', /not an array/],
    [
      'an object for a value',
      { ...good, origin: { toString: () => 'ORD' } },
      'instances[0].origin',
      /not an object/,
    ],
    ['an array', [1, 2], 'instances[0]', /must be an object with the fields distance, weekend, origin, date/],
    ['null', null, 'instances[0]', /must be an object/],
    ['a text', 'ORD', 'instances[0]', /must be an object/],
    ['an object of a class', new Date(0), 'instances[0]', /must be an object/],
  ])('is refused for %s', (...[, instance, path, message]) => {
    const error = issuesOf([instance]);
    expect(error.code).toBe('invalid-instance');
    expect(error.issues.map((issue) => issue.path)).toContain(path);
    expect(error.issues.find((issue) => issue.path === path)?.message).toMatch(message);
  });

  test('is named by its place among the others', () => {
    const error = issuesOf([good, good, good, { ...good, distance: 'far' }]);
    expect(error.issues).toEqual([
      { path: 'instances[3].distance', message: 'must be a finite number or null, not text' },
    ]);
    expect(error.message).toBe('instances[3].distance must be a finite number or null, not text.');
  });

  test('is named by its place in the whole when a range is read', () => {
    expect(() => read([good, good, { ...good, distance: 'far' }], { start: 1, end: 3 })).toThrow(
      /^instances\[2\]\.distance/,
    );
  });

  test('has every problem listed, of all instances', () => {
    const error = issuesOf([{ ...good, distance: 'far', origin: 7 }, good, { ...good, weekend: 'no' }]);
    expect(error.issues.map((issue) => issue.path)).toEqual([
      'instances[0].distance',
      'instances[0].origin',
      'instances[2].weekend',
    ]);
    expect(error.truncated).toBe(false);
  });

  test('has at most twenty problems listed, and it is said that there may be more', () => {
    const error = issuesOf(Array.from({ length: 30 }, () => ({ ...good, distance: 'far' })));
    expect(error.issues).toHaveLength(20);
    expect(error.truncated).toBe(true);
    expect(error.message).toMatch(/and 19 or more other problems/);
  });

  test('cannot hide a field behind __proto__', () => {
    const instance: unknown = JSON.parse(
      '{"__proto__": {"distance": 1}, "weekend": true, "origin": "ORD", "date": 0}',
    );
    const { issues } = issuesOf([instance]);
    expect(issues.map((issue) => issue.path)).toEqual(['instances[0].__proto__', 'instances[0].distance']);
  });

  test('cannot inherit its fields', () => {
    expect(issuesOf([Object.create(good)]).issues[0]?.path).toBe('instances[0]');
  });

  test('does not take what every object inherits for a field', () => {
    const reader = compileReader({ ...signature, inputs: [{ name: 'constructor', type: 'text' }] });
    expect(issuesOf([{ other: 'x' }], reader).issues.map((issue) => issue.path)).toEqual([
      'instances[0].other',
      'instances[0].constructor',
    ]);
    expect(reader([{ constructor: 'Boeing' }]).columns['constructor']).toEqual(['Boeing']);
  });

  test('is refused, and never read wrongly, whatever it is', () => {
    const fits = (value: unknown) => typeof value === 'object' && value !== null && 'distance' in value;
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withDate: true, withMap: true }), (instance) => {
        fc.pre(!fits(instance));
        expect(() => read([instance])).toThrow(InvalidInstanceError);
      }),
    );
  });
});

test('a column may have any name, __proto__ included', () => {
  const reader = compileReader({ ...signature, inputs: [{ name: '__proto__', type: 'number' }] });
  const instance: unknown = JSON.parse('{"__proto__": 7}');
  expect(Object.entries(reader([instance]).columns)).toEqual([['__proto__', new Float64Array([7])]]);
});

test('no instances are a batch of no rows', () => {
  expect(read([])).toMatchObject({ rows: 0, columns: { origin: [] } });
});
