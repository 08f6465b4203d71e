import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareVersions, differencesOf } from './comparison.ts';
import { ReleaseBench } from './testing/release-bench.ts';

describe('the differences of two things', () => {
  it.each([
    ['equal things', { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, []],
    ['a field', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a.b', a: 1, b: 2 }]],
    ['a field that one lacks', { a: 1 }, {}, [{ path: 'a', a: 1, b: null }]],
    ['an object that one lacks', {}, { a: { b: 1 } }, [{ path: 'a', a: null, b: { b: 1 } }]],
    ['lists of values', { a: [1, 2] }, { a: [1, 3] }, [{ path: 'a', a: [1, 2], b: [1, 3] }]],
    ['a value and an object', { a: 1 }, { a: { b: 1 } }, [{ path: 'a', a: 1, b: { b: 1 } }]],
    ['null and a value', { a: null }, { a: 0 }, [{ path: 'a', a: null, b: 0 }]],
  ])('of %s', (...[, a, b, differences]) => {
    expect(differencesOf(a, b)).toEqual(differences);
  });

  it('of things with names are told by name, wherever in its list each stands', () => {
    const column = (name: string, mean: number) => ({ name, mean });
    expect(
      differencesOf(
        { columns: [column('x', 1), column('y', 2)] },
        { columns: [column('y', 3), column('x', 1)] },
      ),
    ).toEqual([{ path: 'columns.y.mean', a: 2, b: 3 }]);
    expect(differencesOf([column('x', 1)], [column('x', 1), column('z', 2)])).toEqual([
      { path: 'z', a: null, b: column('z', 2) },
    ]);
  });

  it('of lists in which a name stands twice are told whole', () => {
    const twice = [{ name: 'x' }, { name: 'x' }];
    expect(differencesOf({ l: twice }, { l: [{ name: 'x' }] })).toEqual([
      { path: 'l', a: twice, b: [{ name: 'x' }] },
    ]);
  });
});

describe('two versions', () => {
  let bench: ReleaseBench;
  beforeAll(async () => {
    bench = await ReleaseBench.open();
    const first = await bench.candidate({ verdict: 'no-baseline', against: null });
    await bench.register(first);
    const second = await bench.candidate({ verdict: 'pass', against: 1 });
    const { card } = second;
    await bench.register({
      ...second,
      card: (registered) => {
        const made = card(registered);
        const metrics = { ...made.evaluation.metrics, auc: 0.5 };
        return {
          ...made,
          data: { ...made.data, quarantined: made.data.quarantined + 7 },
          evaluation: { ...made.evaluation, metrics },
        };
      },
    });
  });
  afterAll(() => bench.close());

  it('are compared by their metrics and by every other field of their cards', async () => {
    const comparison = await compareVersions(bench.db, { model: 'churn', a: 1, b: 2 });
    const auc = comparison.metrics.find(({ metric }) => metric === 'auc');
    expect(auc?.b).toBe(0.5);
    expect(auc?.difference).toBeCloseTo(0.5 - (auc?.a ?? Number.NaN), 12);
    expect(comparison.differences.map(({ path }) => path)).toContain('data.quarantined');
    expect(comparison.differences.map(({ path }) => path)).not.toContain('version');
    expect(comparison.sameTestRows).toBe(true);
  });

  it('differ in nothing where they are one', async () => {
    const { differences, metrics, sameTestRows } = await compareVersions(bench.db, {
      model: 'churn',
      a: 2,
      b: 2,
    });
    expect(differences).toEqual([]);
    expect(metrics.every(({ difference }) => difference === 0 || difference === null)).toBe(true);
    expect(sameTestRows).toBe(true);
  });

  it('must be there', async () => {
    await expect(compareVersions(bench.db, { model: 'churn', a: 1, b: 3 })).rejects.toMatchObject({
      code: 'version-not-found',
    });
  });
});
