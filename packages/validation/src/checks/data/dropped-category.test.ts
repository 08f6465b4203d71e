import { describe, expect, it } from 'vitest';
import { droppedCategoryFindings } from './dropped-category.ts';
import { cardPair, type Values } from './testing/cards.ts';

function repeated(parts: Record<string, number>): string[] {
  return Object.entries(parts).flatMap(([value, rows]) => new Array<string>(rows).fill(value));
}

function findings(champion: Values, candidate: Values) {
  return droppedCategoryFindings(cardPair({ x: champion }, { x: candidate }));
}

describe('droppedCategoryFindings', () => {
  it('names a frequent category that is gone, and one of which less than a tenth is left', () => {
    const before = repeated({ AA: 1_200, DL: 3_000, UA: 5_000, WN: 800 });
    expect(findings(before, repeated({ DL: 4_200, UA: 5_740, WN: 60 }))).toEqual([
      {
        name: 'dropped-category',
        subject: 'x_feature',
        outcome: 'fail',
        explanation: `The column 'x' lost 'AA' (12 % of the champion's training rows, none now), 'WN' (8 % of the champion's training rows, 0.6 % now).`,
        measured: 0.006 / 0.08,
        limit: 0.1,
      },
    ]);
  });

  it('passes over rare categories, over ones that shrank less, and where too few rows came to tell', () => {
    const before = repeated({ AA: 200, DL: 9_710, rare: 90 });
    const pass = [{ subject: null, outcome: 'pass' }];
    expect(findings(before, repeated({ AA: 200, DL: 9_800 }))).toMatchObject(pass);
    expect(findings(before, repeated({ AA: 25, DL: 9_975 }))).toMatchObject(pass);
    expect(findings(before, repeated({ DL: 1_000 }))).toMatchObject(pass);
    expect(findings(before, repeated({ DL: 2_000 }))).toMatchObject([{ outcome: 'fail' }]);
  });

  it('does not take a category that the card leaves out for gone while it may still be there', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`c${i}`, 10]));
    const before = repeated({ AA: 40, ...many });
    expect(findings(before, repeated(many))).toMatchObject([{ outcome: 'pass' }]);
  });

  it('finds a column that lost all its values, naming some', () => {
    const before = repeated(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`c${i}`, 100])));
    const [found] = droppedCategoryFindings(
      cardPair({ x: before }, { x: before.map(() => null) }, { x: 'text' }),
    );
    expect(found?.explanation).toMatch(/'c4' \(.* none now\) and 3 more\.$/);
  });
});
