import { afterAll, beforeAll, expect, it } from 'vitest';
import { listAudit } from '@perennial/storage';
import { changeModel, changeVersion, tagModel, tagVersion, untagModel, untagVersion } from './tags.ts';
import { ReleaseBench } from './testing/release-bench.ts';

const ADA = { by: 'user:ada', origin: '192.0.2.7 req_1' };
const model = 'churn';
const version = { model, version: 1 };

let bench: ReleaseBench;
beforeAll(async () => {
  bench = await ReleaseBench.open();
  await bench.champions(1);
});
afterAll(() => bench.close());

it('what is said of a model is kept, with who said it and what was said before', async () => {
  const { desk } = bench;
  expect(await changeModel(desk, { model, description: 'Who leaves' }, ADA)).toMatchObject({
    description: 'Who leaves',
  });
  expect(await tagModel(desk, { model, key: 'team', value: 'growth' }, ADA)).toMatchObject({
    tags: { team: 'growth' },
  });
  expect(await tagModel(desk, { model, key: 'team', value: 'risk' }, ADA)).toMatchObject({
    tags: { team: 'risk' },
  });
  expect(await untagModel(desk, { model, key: 'team' }, ADA)).toMatchObject({ tags: {} });
  const { items } = await listAudit(bench.db, { subject: 'model:churn', by: 'user:ada', limit: 10 });
  expect(items).toMatchObject([
    { action: 'model.untagged', ...ADA, reason: null, details: { key: 'team', before: 'risk' } },
    { action: 'model.tagged', details: { key: 'team', value: 'risk', before: 'growth' } },
    { action: 'model.tagged', details: { key: 'team', value: 'growth', before: null } },
    { action: 'model.changed', details: { description: 'Who leaves', before: '' } },
  ]);
});

it('what is said of a version is kept beside it', async () => {
  const { desk } = bench;
  expect(await changeVersion(desk, { ...version, description: 'First' }, ADA)).toMatchObject({
    version: 1,
    description: 'First',
  });
  expect(await tagVersion(desk, { ...version, key: 'a', value: '1' }, ADA)).toMatchObject({
    tags: { a: '1' },
  });
  const untagged = await untagVersion(desk, { ...version, key: 'a' }, ADA);
  expect(untagged).toMatchObject({ tags: {}, aliases: ['champion'] });
  expect(untagged).not.toHaveProperty('card');
  const { items } = await listAudit(bench.db, { subject: 'version:churn@1', by: 'user:ada', limit: 10 });
  expect(items.map(({ action }) => action)).toEqual([
    'version.untagged',
    'version.tagged',
    'version.changed',
  ]);
});

it('what cannot be said leaves nothing in the audit', async () => {
  const { desk } = bench;
  const before = (await listAudit(bench.db, { limit: 100 })).items.length;
  await expect(untagModel(desk, { model, key: 'absent' }, ADA)).rejects.toMatchObject({
    code: 'tag-not-found',
  });
  await expect(changeModel(desk, { model: 'absent', description: '' }, ADA)).rejects.toMatchObject({
    code: 'model-not-found',
  });
  const absent = { model, version: 9 };
  await expect(tagVersion(desk, { ...absent, key: 'a', value: '' }, ADA)).rejects.toMatchObject({
    code: 'version-not-found',
  });
  expect((await listAudit(bench.db, { limit: 100 })).items).toHaveLength(before);
});
