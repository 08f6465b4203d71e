import { describe, expect, test } from 'vitest';
import { IdGenerator, ManualClock } from '@perennial/contract';
import { compileRecordPolicy, recordPolicyOf, RECORD_ALL } from './record-policy.ts';
import { baseId, rowId } from './row-ids.ts';

describe('a sample', () => {
  const generator = new IdGenerator(new ManualClock('2001-03-04T05:06:07Z'));

  test.each([
    ['ids of a generator', Array.from({ length: 40_000 }, () => generator.next())],
    [
      'ids counted on from one',
      ((base) => Array.from({ length: 40_000 }, (_, row) => rowId(base, row)))(baseId(generator)),
    ],
  ])('is the share asked for of %s, and the same ids every time', (_, ids) => {
    for (const share of [0.01, 0.25, 0.9]) {
      const kept = ids.filter(compileRecordPolicy({ sample: share }).keeps);
      expect(kept).toEqual(ids.filter(compileRecordPolicy({ sample: share }).keeps));
      // Six standard deviations of a binomial count.
      const deviation = Math.sqrt(ids.length * share * (1 - share));
      expect(Math.abs(kept.length - ids.length * share)).toBeLessThan(6 * deviation);
    }
  });

  test('of a larger share holds that of a smaller one', () => {
    const ids = Array.from({ length: 1_000 }, () => generator.next());
    const small = ids.filter(compileRecordPolicy({ sample: 0.2 }).keeps);
    const large = compileRecordPolicy({ sample: 0.3 });
    expect(small.every(large.keeps)).toBe(true);
  });
});

describe('redaction', () => {
  test('leaves the columns out, and keeps null for what the caller left out', () => {
    const { features } = compileRecordPolicy({ redact: ['name', '__proto__'] });
    const instance = JSON.parse('{"name":"Ada","age":null,"__proto__":1,"city":"Zürich"}') as never;
    expect(JSON.stringify(features(instance))).toBe('{"age":null,"city":"Zürich"}');
  });

  test('of nothing hands the instance on', () => {
    const instance = { age: 1 };
    expect(RECORD_ALL.features(instance)).toBe(instance);
  });
});

test('a policy is compiled once for each way of serving', () => {
  const serving = { record: { sample: 0.5, durability: 'none', whenFull: 'drop-and-count' } } as const;
  const policy = recordPolicyOf(serving);
  expect(recordPolicyOf(serving)).toBe(policy);
  expect(policy.terms).toEqual({ durability: 'none', whenFull: 'drop-and-count' });
  expect(recordPolicyOf({})).toBe(RECORD_ALL);
});
