import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { registerBareVersion } from '../testing/registered-version.ts';
import { transaction } from '../database/transaction.ts';
import {
  describeModel,
  describeVersion,
  removeModelTag,
  removeVersionTag,
  setModelTag,
  setVersionTag,
} from './model-tags.ts';
import { getModelVersion, listModelVersions } from './model-versions.ts';
import { getModel, listModels, type ModelQuery } from './models.ts';

const AT = new Date('2001-03-01T00:00:00Z');

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  const db = test.database.orm;
  for (const model of ['churn', 'churn-uk', 'flight-delay', 'fraud', 'fraud'])
    await registerBareVersion(db, { model, at: AT });
  await transaction(test.database, async (tx) => {
    await describeModel(tx, 'churn', 'Who leaves: 100% of customers, under_scored.');
    await describeModel(tx, 'fraud', 'Cards');
    await setModelTag(tx, 'churn', { key: 'team', value: 'Growth' });
    await setModelTag(tx, 'churn-uk', { key: 'team', value: 'growth=uk' });
    await setModelTag(tx, 'fraud', { key: 'team', value: 'risk' });
    await setModelTag(tx, 'fraud', { key: 'pager', value: '' });
  });
});
afterAll(() => test.drop());

async function found(query: Partial<ModelQuery>): Promise<string[]> {
  const { items } = await listModels(test.database.orm, { limit: 50, ...query });
  return items.map(({ name }) => name);
}

describe('models', () => {
  it.each<[string, string[]]>([
    ['churn', ['churn', 'churn-uk']],
    ['CHURN uk', ['churn-uk']],
    ['leaves', ['churn']],
    ['growth', ['churn', 'churn-uk']],
    ['pager', ['fraud']],
    ['risk cards', ['fraud']],
    ['100%', ['churn']],
    ['0%o', []],
    ['under_scored', ['churn']],
    ['fl_ght', []],
    ['\\', []],
    ['  ', ['churn', 'churn-uk', 'flight-delay', 'fraud']],
    [`'; drop table models; --`, []],
  ])('are found by %j', async (search, names) => {
    expect(await found({ search })).toEqual(names);
  });

  it.each<[string, string[]]>([
    ['team', ['churn', 'churn-uk', 'fraud']],
    ['team=risk', ['fraud']],
    ['team=Risk', []],
    ['team=growth=uk', ['churn-uk']],
    ['pager=', ['fraud']],
    ['absent', []],
  ])('are found by the tag %j', async (tag, names) => {
    expect(await found({ tag })).toEqual(names);
  });

  it('are shown page by page with a search too', async () => {
    const first = await listModels(test.database.orm, { limit: 1, search: 'growth' });
    expect(first.items.map(({ name }) => name)).toEqual(['churn']);
    expect(await found({ limit: 1, search: 'growth', cursor: first.nextCursor ?? '' })).toEqual(['churn-uk']);
  });

  it('that a caller is not held to are not shown', async () => {
    expect(await found({ models: ['fraud', 'absent'] })).toEqual(['fraud']);
    expect(await found({ models: [] })).toEqual([]);
    expect(await found({ models: null, tag: 'pager' })).toEqual(['fraud']);
  });

  it('carry their description and tags', async () => {
    expect(await getModel(test.database.orm, 'fraud')).toMatchObject({
      description: 'Cards',
      tags: { team: 'risk', pager: '' },
      latestVersion: 2,
      championVersion: null,
    });
  });

  it('tell what they said before', async () => {
    await transaction(test.database, async (tx) => {
      expect(await describeModel(tx, 'flight-delay', 'Planes')).toBe('');
      expect(await describeModel(tx, 'flight-delay', '')).toBe('Planes');
      expect(await setModelTag(tx, 'flight-delay', { key: 'a', value: '1' })).toBeNull();
      expect(await setModelTag(tx, 'flight-delay', { key: 'a', value: '2' })).toBe('1');
      expect(await removeModelTag(tx, 'flight-delay', 'a')).toBe('2');
      await expect(removeModelTag(tx, 'flight-delay', 'a')).rejects.toThrow(`There is no tag 'a'.`);
    });
  });

  it('that are not there cannot be described or tagged', async () => {
    const db = test.database.orm;
    await expect(describeModel(db, 'absent', '')).rejects.toMatchObject({ code: 'model-not-found' });
    await expect(setModelTag(db, 'absent', { key: 'a', value: '' })).rejects.toMatchObject({
      code: 'model-not-found',
    });
    await expect(removeModelTag(db, 'absent', 'a')).rejects.toMatchObject({ code: 'model-not-found' });
  });
});

describe('versions', () => {
  const second = { model: 'fraud', version: 2 };

  it('are described and tagged beside their rows, each by itself', async () => {
    await transaction(test.database, async (tx) => {
      expect(await describeVersion(tx, second, 'Better')).toBe('');
      expect(await describeVersion(tx, second, 'Best')).toBe('Better');
      expect(await setVersionTag(tx, second, { key: 'b', value: '1' })).toBeNull();
      expect(await setVersionTag(tx, second, { key: 'b', value: '2' })).toBe('1');
      await setVersionTag(tx, second, { key: 'c', value: '' });
      expect(await removeVersionTag(tx, second, 'c')).toBe('');
      await expect(removeVersionTag(tx, { ...second, version: 1 }, 'b')).rejects.toMatchObject({
        code: 'tag-not-found',
      });
    });
    const { items } = await listModelVersions(test.database.orm, 'fraud', { limit: 5 });
    expect(items).toMatchObject([
      { version: 2, description: 'Best', tags: { b: '2' } },
      { version: 1, description: '', tags: {} },
    ]);
    expect(items[0]).not.toHaveProperty('card');
    expect(await getModelVersion(test.database.orm, 'fraud', 2)).toMatchObject({ card: {}, ...items[0] });
  });

  it('that are not there cannot be described or tagged', async () => {
    const db = test.database.orm;
    const absent = { model: 'fraud', version: 3 };
    const refused = { code: 'version-not-found' };
    await expect(describeVersion(db, absent, '')).rejects.toMatchObject(refused);
    await expect(setVersionTag(db, absent, { key: 'a', value: '' })).rejects.toMatchObject(refused);
    await expect(removeVersionTag(db, absent, 'a')).rejects.toMatchObject(refused);
  });

  it.each([
    `update model_versions set artifact_digest = 'x' where model = 'fraud'`,
    `update model_versions set model = model`,
    `delete from model_versions`,
    `truncate model_versions cascade`,
  ])('are never changed themselves: %s', async (statement) => {
    await expect(test.database.orm.execute(statement)).rejects.toThrow();
    expect((await listModelVersions(test.database.orm, 'fraud', { limit: 5 })).items).toHaveLength(2);
  });
});
