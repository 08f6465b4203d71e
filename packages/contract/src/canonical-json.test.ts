import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

/** A key with a backslash in it, in JSON's text. */
const BACKSLASH_IN_KEY = /\\\\(?:[^"\\]|\\.)*":/;

/**
 * Without −0, which JSON has no sign for, and without backslashes in keys: `JSON.parse` of Node 24 and 26 takes the key `"` for `\` once it has read an object
 * with that key at the same place (nodejs/node#63785).
 */
const json = fc
  .jsonValue()
  .map((value) => JSON.stringify(value))
  .filter((text) => !BACKSLASH_IN_KEY.test(text))
  .map((text) => JSON.parse(text) as unknown);

/** The same value with the keys of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('canonical JSON', () => {
  it('parses back to the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  it('is the same whatever order the keys came in', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('tells different values apart, and only those', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(canonicalJson(one) === canonicalJson(other)).toBe(pathsOf(one) === pathsOf(other));
      }),
    );
  });

  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ 10: 'ten', 9: 'nine', '-1': 'minus' }, '{"-1":"minus","10":"ten","9":"nine"}'],
    [{ '\u20ac': 1, '\r': 2, '\ud83d\ude00': 3, '\ufb33': 4 }, '{"\\r":2,"€":1,"😀":3,"\ufb33":4}'],
    [{ left: undefined, kept: [undefined] }, '{"kept":[null]}'],
    [new Date('2001-03-01T00:00:00Z'), '"2001-03-01T00:00:00.000Z"'],
    [[1e21, 0.1, -0], '[1e+21,0.1,0]'],
    [undefined, 'null'],
  ])('writes %j as %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('keeps a key that is called __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });
});

/** Another way to a normal form: all paths of the value with what is there, sorted. */
function pathsOf(value: unknown, path = '$'): string {
  if (typeof value !== 'object' || value === null) return `${path}=${JSON.stringify(value)}`;
  const members = Object.entries(value).map(([key, member]) =>
    pathsOf(member, `${path}/${JSON.stringify(key)}`),
  );
  return [`${path}:${Array.isArray(value) ? 'array' : 'object'}`, ...members].sort().join('\n');
}
