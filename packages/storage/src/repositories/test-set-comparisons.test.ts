import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '@perennial/contract';
import { testSetComparisons } from '../database/schema.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { debitTestSet, type TestSetDebit } from './test-set-comparisons.ts';

const clock = new ManualClock('2001-02-01T00:00:00Z');
let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const digest = (text: string): string => `sha256:${Buffer.from(text).toString('hex').padStart(64, '0')}`;
const question = (split: string, candidate: string, champion = 'champion'): TestSetDebit => ({
  split: digest(split),
  candidate: digest(candidate),
  champion: digest(champion),
  runId: null,
  at: clock.now(),
});
const ask = async (debit: TestSetDebit): Promise<number> =>
  (await debitTestSet(test.database, debit)).comparison;

describe('the ledger of a test set', () => {
  it('numbers the questions of each split from 1', async () => {
    expect(await ask(question('monday', 'a'))).toBe(1);
    expect(await ask(question('monday', 'b'))).toBe(2);
    expect(await ask(question('monday', 'c'))).toBe(3);
    expect(await ask(question('tuesday', 'c'))).toBe(1);
  });

  it('takes another champion for another question', async () => {
    expect(await ask(question('wednesday', 'a', 'first'))).toBe(1);
    expect(await ask(question('wednesday', 'a', 'second'))).toBe(2);
  });

  it('keeps the number of a question that is asked again, and charges nothing for it', async () => {
    expect(await ask(question('thursday', 'a'))).toBe(1);
    expect(await ask(question('thursday', 'b'))).toBe(2);
    expect(await ask({ ...question('thursday', 'a'), at: new Date('2001-02-02T00:00:00Z') })).toBe(1);
    const rows = await test.database.orm
      .select({ comparison: testSetComparisons.comparison, at: testSetComparisons.at })
      .from(testSetComparisons)
      .where(eq(testSetComparisons.split, digest('thursday')));
    expect(rows.map(({ comparison }) => comparison).sort()).toEqual([1, 2]);
    expect(rows.map(({ at }) => at)).toEqual([clock.now(), clock.now()]);
  });

  it('gives every one of many questions at once a number of its own, and the same question one number', async () => {
    const candidates = Array.from({ length: 20 }, (_, index) => `c${index % 10}`);
    const numbers = await Promise.all(candidates.map((candidate) => ask(question('friday', candidate))));
    expect(numbers.slice(0, 10)).toEqual(numbers.slice(10));
    expect(numbers.slice(0, 10).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('refuses a run that there is not', async () => {
    const debit = { ...question('saturday', 'a'), runId: '01890000-0000-7000-8000-000000000000' };
    await expect(debitTestSet(test.database, debit)).rejects.toThrow();
    expect(await ask(question('saturday', 'b'))).toBe(1);
  });
});
