import { expect, test } from 'vitest';
import { JournalFullError, RecordTooLargeError } from '../errors.ts';
import { SharedAppend } from './shared-append.ts';

/** A journal that has no room for records of more than 9 characters. */
function journal() {
  const appends: string[][] = [];
  const append = async (records: readonly string[]) => {
    appends.push([...records]);
    const large = records.find((record) => record.length > 9);
    if (large !== undefined) throw new RecordTooLargeError(large.length, 9);
  };
  return { appends, shared: new SharedAppend({ append }) };
}

test('what is added in one go is appended together, in order; what comes later by itself', async () => {
  const { appends, shared } = journal();
  await Promise.all([shared.append(['a']), shared.append(['b', 'c']), shared.append(['d'])]);
  await shared.append(['e']);
  expect(appends).toEqual([['a', 'b', 'c', 'd'], ['e']]);
});

test('a record that is too large fails by itself', async () => {
  const { appends, shared } = journal();
  const outcomes = await Promise.allSettled([
    shared.append(['a']),
    shared.append(['0123456789']),
    shared.append(['b']),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(appends.slice(1)).toEqual([['a'], ['0123456789'], ['b']]);
});

test('a journal without room fails them all', async () => {
  const shared = new SharedAppend({ append: () => Promise.reject(new JournalFullError()) });
  const outcomes = await Promise.allSettled([shared.append(['a']), shared.append(['b'])]);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'storage-full' } });
});

test('what is added on other terms is appended by itself, what is on the same together', async () => {
  const appends: unknown[] = [];
  const append = async (records: readonly string[], terms: unknown) => void appends.push([records, terms]);
  const shared = new SharedAppend({ append });
  const quick = { durability: 'process' } as const;
  await Promise.all([shared.append(['a'], quick), shared.append(['b']), shared.append(['c'], quick)]);
  expect(appends).toEqual([
    [['a', 'c'], quick],
    [['b'], {}],
  ]);
});
