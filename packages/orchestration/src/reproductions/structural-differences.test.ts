import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { structuralDifferences } from './structural-differences.ts';

const differences = (recorded: unknown, found: unknown) => structuralDifferences(recorded, found, 'dataset');
const what = (recorded: unknown, found: unknown) => differences(recorded, found).map((one) => one.what);

describe('where two values differ', () => {
  it('is told by path, with both values', () => {
    expect(differences({ splits: { train: { rows: 7 } } }, { splits: { train: { rows: 8 } } })).toEqual([
      { what: 'dataset.splits.train.rows', recorded: '7', found: '8' },
    ]);
  });

  it('is told by name in a list of named things, whatever their order', () => {
    const distance = { name: 'distance', center: 1 };
    const origin = { name: 'origin', vocabulary: ['ATL'] };
    expect(what([distance, origin], [origin, distance])).toEqual([]);
    expect(what([distance, origin], [origin, { ...distance, center: 2 }])).toEqual([
      'dataset.distance.center',
    ]);
    expect(differences([distance], [distance, origin])).toEqual([
      { what: 'dataset.origin', recorded: 'absent', found: JSON.stringify(origin) },
    ]);
  });

  it('is told by length and first difference in any other list', () => {
    expect(differences(['ATL', 'LAX', 'ORD'], ['ATL', 'JFK', 'LAX', 'ORD'])).toEqual([
      { what: 'dataset.length', recorded: '3', found: '4' },
      { what: 'dataset[1]', recorded: 'LAX', found: 'JFK' },
    ]);
    const twice = [{ name: 'a' }, { name: 'a' }];
    expect(what(twice, [...twice, { name: 'a' }])).toEqual(['dataset.length']);
  });

  it('is told in brief', () => {
    const [only] = differences('x'.repeat(5_000), 'y');
    expect(only?.recorded).toHaveLength(201);
  });

  it('is nowhere between equal values, and somewhere between others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
        expect(differences(JSON.parse(a), JSON.parse(a))).toEqual([]);
        // Named things may stand in another order, so only what has none is surely different.
        if (a !== b && !Array.isArray(one) && typeof one !== 'object')
          expect(differences(JSON.parse(a), JSON.parse(b))).not.toEqual([]);
      }),
    );
  });
});
