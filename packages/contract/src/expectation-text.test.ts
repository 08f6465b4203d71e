import { describe, expect, it } from 'vitest';
import { describeExpectation } from './expectation-text.ts';
import type { Expectation } from './pipeline-spec.ts';

describe('describeExpectation', () => {
  it.each<[Expectation, string]>([
    [{ kind: 'notNull', column: 'origin' }, 'origin is not null'],
    [{ kind: 'between', column: 'age', min: 0 }, 'age is at least 0'],
    [{ kind: 'between', column: 'age', max: 9 }, 'age is at most 9'],
    [{ kind: 'between', column: 'age', min: 0, max: 9 }, 'age is between 0 and 9'],
    [{ kind: 'between', column: 'age' }, 'age is at most anything'],
    [{ kind: 'oneOf', column: 'day', values: ['Mon', 2, true] }, 'day is one of Mon, 2, true'],
    [
      { kind: 'oneOf', column: 'n', values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
      'n is one of 1, 2, 3, 4, 5, 6, 7, 8 and 2 more',
    ],
    [{ kind: 'matches', column: 'code', pattern: '[A-Z]+' }, 'code matches [A-Z]+'],
    [{ kind: 'unique', columns: ['a'] }, 'a names one row'],
    [{ kind: 'unique', columns: ['a', 'b'] }, 'a and b name one row'],
    [{ kind: 'rowCount', min: 10 }, 'the number of rows is at least 10'],
    [{ kind: 'predicate', name: 'order', sql: 'a > b' }, 'order'],
  ])('says what %j asks for', (expectation, words) => {
    expect(describeExpectation(expectation)).toBe(words);
  });
});
