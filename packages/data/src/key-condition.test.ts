import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequestError, type InputColumn } from '@perennial/contract';
import { KeyCondition } from './key-condition.ts';

const COLUMNS: InputColumn[] = [
  { name: 'age', type: 'number' },
  { name: 'country', type: 'text' },
  { name: 'active', type: 'boolean' },
  { name: 'since', type: 'timestamp' },
  { name: 'odd "name"', type: 'number' },
  { name: 'Key', type: 'text' },
];

const row = (key: string, features: object) => ({ key, features: JSON.stringify(features) });
const ROWS = [
  row('c-1', {
    age: 20,
    country: 'NL',
    active: true,
    since: Date.UTC(2024, 0, 1),
    'odd "name"': 1,
    Key: 'x',
  }),
  row('c-2', { age: 70.5, country: 'DE', active: false, since: Date.UTC(2020, 5, 1), 'odd "name"': 2 }),
  row('o-3', { age: null, country: null, active: null, since: null }),
];

const open: KeyCondition[] = [];
beforeEach(() => open.splice(0));
afterEach(() => open.forEach((condition) => condition.close()));

async function condition(sql: string): Promise<KeyCondition> {
  const made = await KeyCondition.open({ model: 'm', sql, columns: COLUMNS });
  open.push(made);
  return made;
}
const keysFor = async (sql: string) => (await (await condition(sql)).matching(ROWS)).map(({ key }) => key);

describe('a condition on keys', () => {
  it.each([
    ["key like 'c-%'", ['c-1', 'c-2']],
    ['age > 30', ['c-2']],
    ["country in ('NL', 'DE') and active", ['c-1']],
    ["since < TIMESTAMP '2021-01-01'", ['c-2']],
    ['"odd ""name""" = 2', ['c-2']],
    ['age is null', ['o-3']],
    ['true -- a comment at its end', ['c-1', 'c-2', 'o-3']],
    ["key = 'x'", []],
  ])('%s picks the rows that it holds for', async (sql, keys) => {
    expect(await keysFor(sql)).toEqual(keys);
  });

  it('is evaluated for other rows again', async () => {
    const made = await condition('age > 30');
    expect(await made.matching(ROWS)).toHaveLength(1);
    expect(await made.matching([])).toEqual([]);
    expect(await made.matching([row('z', { age: 31 })])).toMatchObject([{ key: 'z' }]);
  });

  it.each([
    'age >',
    'age',
    'height > 3',
    'count(*) > 1',
    'row_number() over () > 1',
    'exists (select 1)',
    "(select content from read_text('/etc/hosts')) is not null",
    '$1',
    'random() > 0.5',
    'now() > since',
    'true; drop table entities',
  ])('is refused: %s', async (sql) => {
    await expect(condition(sql)).rejects.toThrow(InvalidRequestError);
  });

  it('that cannot be evaluated for a row says why', async () => {
    const made = await condition('cast(country as integer) > 3');
    await expect(made.matching(ROWS)).rejects.toThrow(/^keys cannot be evaluated: .*NL/);
  });
});
