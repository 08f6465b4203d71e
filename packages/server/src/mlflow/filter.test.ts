import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '@perennial/contract';
import { parseFilter, parseOrderBy } from './filter.ts';

const grammar = {
  attributes: { name: 'name', version_number: 'version', run_id: 'run' },
  numbers: ['version_number'],
} as const;
const parse = (filter: string) => parseFilter(filter, grammar);

const condition = (attribute: string, comparison: string, ...values: (string | number)[]) => ({
  of: { attribute },
  comparison,
  values,
});
const tag = (name: string, comparison: string, value: string) => ({
  of: { tag: name, whereAbsent: false },
  comparison,
  values: [value],
});

describe('a filter', () => {
  it.each([
    ['', []],
    ['  ', []],
    [`name='churn'`, [condition('name', '=', 'churn')]],
    [`name = "churn"`, [condition('name', '=', 'churn')]],
    [`attribute.name != 'a'`, [condition('name', '!=', 'a')]],
    [`name LIKE '%x%'`, [condition('name', 'like', '%x%')]],
    [`name ilike 'X_'`, [condition('name', 'ilike', 'X_')]],
    [`name IN ('a', "b",'c')`, [condition('name', 'in', 'a', 'b', 'c')]],
    [`name not  in ('a')`, [condition('name', 'not in', 'a')]],
    [`run_id = 'run_7'`, [condition('run', '=', 'run_7')]],
    ['version_number >= 2', [condition('version', '>=', 2)]],
    [`tags.k = 'v'`, [tag('k', '=', 'v')]],
    [`tag.team.lead != 'v'`, [tag('team.lead', '!=', 'v')]],
    [`tags."my key" = 'v'`, [tag('my key', '=', 'v')]],
    ["tags.`a/b` LIKE 'v'", [tag('a/b', 'like', 'v')]],
    [`name = 'it''s'`, [condition('name', '=', `it's`)]],
    [
      `name='a' AND tags.b='c' and name!='d'`,
      [condition('name', '=', 'a'), tag('b', '=', 'c'), condition('name', '!=', 'd')],
    ],
    [`name = 'a AND b'`, [condition('name', '=', 'a AND b')]],
  ])('%s is understood', (filter, conditions) => {
    expect(parse(filter)).toEqual(conditions);
  });

  it('that leaves prompts out holds of what has no such tag, as in every search of MLflow’s clients', () => {
    const of = { tag: 'mlflow.prompt.is_prompt', whereAbsent: true };
    expect(parse("tag.`mlflow.prompt.is_prompt` != 'true'")).toEqual([
      { of, comparison: '!=', values: ['true'] },
    ]);
    expect(parse("name = 'a' AND tags.`mlflow.prompt.is_prompt` = 'false'")[1]).toMatchObject({ of });
    expect(parse("tag.`mlflow.prompt.is_prompt` = 'true'")).toMatchObject([{ of: { whereAbsent: false } }]);
  });

  it.each([
    ['name', 'found the end'],
    [`name =`, 'expected a value in quotes, found the end'],
    [`name = churn`, 'expected a value in quotes, found churn'],
    ['name = `churn`', 'expected a value in quotes'],
    [`name = 7`, 'expected a value in quotes, found 7'],
    [`name < 'a'`, 'expected one of =, !=, LIKE, ILIKE, IN, NOT IN'],
    [`name = 'a' OR name = 'b'`, "expected 'AND' or the end, found OR"],
    [`name = 'a' AND`, "expected 'name', 'version_number', 'run_id' or 'tags.<name>'"],
    [`description = 'a'`, 'found description'],
    [`constructor = 'a'`, 'found constructor'],
    [`tags. = 'a'`, `expected a tag's name`],
    [`version_number LIKE '1'`, 'expected one of =, !=, <, <=, >, >='],
    [`version_number = 'x'`, `expected a version's number, found x`],
    [`version_number = 99999999999`, `expected a version's number`],
    [`name IN 'a'`, 'expected a list'],
    [`name IN ()`, 'expected a value in quotes'],
    [`name IN ('a'`, `expected ',' or ')'`],
    [`name = 'unclosed`, 'expected a value in quotes'],
    [`name = 'a'; drop table models`, `expected 'AND' or the end`],
    [`name = 'a\0'`, 'expected a value in quotes'],
    [`name IN (${Array.from({ length: 101 }, () => "'a'").join()})`, 'expected at most 100 values'],
    [Array.from({ length: 21 }, () => "name='a'").join(' AND '), 'expected at most 20 conditions'],
  ])('%j is refused', (filter, message) => {
    expect(() => parse(filter)).toThrow(InvalidRequestError);
    expect(() => parse(filter)).toThrow(message);
  });

  it('takes any text in quotes at its word', () => {
    const text = fc.string().filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(text, (value) => {
        expect(parse(`name = '${value.replaceAll("'", "''")}'`)).toEqual([condition('name', '=', value)]);
      }),
    );
  });

  it('of any kind is understood or refused, and nothing else happens', () => {
    const token = fc.constantFrom(
      'name',
      'tags.',
      'a',
      "'",
      '"',
      '`',
      '=',
      '!=',
      'IN',
      '(',
      ')',
      ',',
      'AND',
      ' ',
      '1',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        try {
          expect(parse(tokens.join(''))).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequestError);
        }
      }),
    );
  });
});

describe('an order', () => {
  const orders = { name: 'name', last_updated_timestamp: 'changed' } as const;

  it.each([
    [['name'], [{ attribute: 'name', ascending: true }]],
    [
      ['name ASC', 'last_updated_timestamp desc'],
      [
        { attribute: 'name', ascending: true },
        { attribute: 'changed', ascending: false },
      ],
    ],
    [['attribute.name DESC'], [{ attribute: 'name', ascending: false }]],
    [[], []],
  ])('%j is understood', (given, order) => {
    expect(parseOrderBy(given, orders)).toEqual(order);
  });

  it.each(['', 'stage', 'name sideways', 'name; drop table models', 'constructor'])(
    '%j is refused',
    (given) => {
      expect(() => parseOrderBy([given], orders)).toThrow(
        'it must be one of name, last_updated_timestamp, with ASC or DESC after it',
      );
    },
  );
});
