import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { registerBareVersion } from '../testing/registered-version.ts';
import { moveAlias } from './aliases.ts';
import {
  searchModels,
  searchVersions,
  type ModelAttribute,
  type SearchComparison,
  type SearchCondition,
  type VersionAttribute,
} from './model-search.ts';
import { setModelTag, setVersionTag } from './model-tags.ts';

const day = (number: number) => new Date(Date.UTC(2001, 2, number));
const CHAMPION = { alias: 'champion', reason: 'it is good', by: 'test', releaseId: null };

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  const db = test.database.orm;
  await registerBareVersion(db, { model: 'zebra', at: day(1) });
  await registerBareVersion(db, { model: 'ant', at: day(2) });
  await registerBareVersion(db, { model: 'ant', at: day(3), lineage: { kind: 'run', run: 'run_7' } });
  await registerBareVersion(db, { model: 'bee-hive', at: day(4) });
  await transaction(test.database, async (tx) => {
    await setModelTag(tx, 'ant', { key: 'legs', value: '6' });
    await setVersionTag(tx, { model: 'ant', version: 1 }, { key: 'state', value: 'old' });
    await moveAlias(tx, { ...CHAMPION, model: 'zebra', version: 1, expectedRevision: 0, at: day(9) });
    await moveAlias(tx, { ...CHAMPION, model: 'ant', version: 1, expectedRevision: 0, at: day(5) });
  });
});
afterAll(() => test.drop());

const all = { conditions: [], orderBy: [], limit: 10, offset: 0 };

const where = <Attribute extends ModelAttribute | VersionAttribute>(
  attribute: Attribute,
  ...[comparison, ...values]: [SearchComparison, ...(string | number)[]]
): SearchCondition<Attribute> => ({ of: { attribute }, comparison, values });
const tagged = (
  tag: string,
  ...[comparison, value, whereAbsent = false]: [SearchComparison, string, boolean?]
) => ({
  of: { tag, whereAbsent },
  comparison,
  values: [value],
});

describe('a search of models', () => {
  const names = async (...conditions: SearchCondition<ModelAttribute>[]) =>
    (await searchModels(test.database.orm, { ...all, conditions })).map(({ name }) => name);

  it.each<[SearchCondition<ModelAttribute>, string[]]>([
    [where('name', '=', 'ant'), ['ant']],
    [where('name', '!=', 'ant'), ['bee-hive', 'zebra']],
    [where('name', 'like', '%e%'), ['bee-hive', 'zebra']],
    [where('name', 'like', 'A%'), []],
    [where('name', 'ilike', 'A%'), ['ant']],
    [where('name', 'like', '\\%'), []],
    [where('name', 'in', 'ant', 'zebra', 'yak'), ['ant', 'zebra']],
    [where('name', 'not in', 'ant', 'zebra'), ['bee-hive']],
    [where('name', 'in'), []],
    [tagged('legs', '=', '6'), ['ant']],
    [tagged('legs', '!=', '6'), []],
    [tagged('legs', '!=', '6', true), ['bee-hive', 'zebra']],
    [tagged('legs', 'ilike', '_'), ['ant']],
    [where('name', '=', `'; drop table models; --`), []],
  ])('finds those for which %j holds', async (condition, found) => {
    expect(await names(condition)).toEqual(found);
  });

  it('finds those for which everything holds', async () => {
    expect(await names(where('name', 'like', '%n%'), tagged('legs', '=', '6'))).toEqual(['ant']);
    expect(await names(where('name', '=', 'zebra'), tagged('legs', '=', '6'))).toEqual([]);
  });

  it('orders them, and shows a part', async () => {
    const ordered = async (attribute: 'name' | 'created' | 'changed', part: object = {}) =>
      (
        await searchModels(test.database.orm, { ...all, orderBy: [{ attribute, ascending: false }], ...part })
      ).map(({ name }) => name);
    expect(await ordered('name')).toEqual(['zebra', 'bee-hive', 'ant']);
    expect(await ordered('created')).toEqual(['bee-hive', 'ant', 'zebra']);
    expect(await ordered('changed')).toEqual(['zebra', 'ant', 'bee-hive']);
    expect(await ordered('changed', { offset: 1, limit: 1 })).toEqual(['ant']);
    expect(await ordered('name', { models: ['ant', 'zebra'] })).toEqual(['zebra', 'ant']);
  });

  it('shows what stands beside them', async () => {
    const [ant] = await searchModels(test.database.orm, { ...all, models: ['ant'] });
    expect(ant).toEqual({
      name: 'ant',
      description: '',
      createdAt: day(2),
      changedAt: day(5),
      latestVersion: 2,
      tags: { legs: '6' },
      aliases: [{ alias: 'champion', version: 1 }],
    });
  });
});

describe('a search of versions', () => {
  const found = async (...conditions: SearchCondition<VersionAttribute>[]) =>
    (await searchVersions(test.database.orm, { ...all, conditions })).map(
      ({ model, version }) => `${model}@${version}`,
    );

  it.each<[SearchCondition<VersionAttribute>, string[]]>([
    [where('name', '=', 'ant'), ['ant@2', 'ant@1']],
    [where('version', '>=', 2), ['ant@2']],
    [where('version', '<', 2), ['ant@1', 'bee-hive@1', 'zebra@1']],
    [where('run', '=', 'run_7'), ['ant@2']],
    [where('run', 'in', 'run_7', 'run_8'), ['ant@2']],
    [tagged('state', '=', 'old'), ['ant@1']],
    [tagged('state', '!=', 'old', true), ['ant@2', 'bee-hive@1', 'zebra@1']],
  ])('finds those for which %j holds', async (condition, versions) => {
    expect(await found(condition)).toEqual(versions);
  });

  it('finds the newest of each model', async () => {
    const newest = await searchVersions(test.database.orm, { ...all, latestOnly: true });
    expect(newest.map(({ model, version }) => `${model}@${version}`)).toEqual([
      'ant@2',
      'bee-hive@1',
      'zebra@1',
    ]);
  });

  it('shows what stands beside them', async () => {
    const orderBy = [{ attribute: 'version', ascending: true }] as const;
    const [first, second] = await searchVersions(test.database.orm, { ...all, models: ['ant'], orderBy });
    expect(first).toMatchObject({
      version: 1,
      description: '',
      createdAt: day(2),
      changedAt: day(5),
      tags: { state: 'old' },
      aliases: ['champion'],
      lineage: { kind: 'imported', by: 'token:maker' },
    });
    expect(second).toMatchObject({ version: 2, changedAt: day(3), tags: {}, aliases: [] });
  });
});
