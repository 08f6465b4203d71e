import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  IdGenerator,
  aliasMoveSchema,
  modelSchema,
  versionComparisonSchema,
  type Alias,
  type AliasMove,
  type Model,
  type ModelVersion,
  type Page,
  type Problem,
} from '@perennial/contract';
import { registerCandidate } from '@perennial/registry';
import { makeCandidate, seed, testSigning } from '@perennial/registry/testing';
import { transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform();
  const { database, clock } = test;
  const ids = new IdGenerator(clock);
  const { signer } = testSigning();
  await seed(database);
  for (const given of [
    { verdict: 'no-baseline', against: null },
    { verdict: 'pass', against: 1 },
  ] as const) {
    const candidate = await makeCandidate({ database, ids, ...given });
    await transaction(database, (tx) => registerCandidate(tx, candidate, { clock, ids, signer }));
    clock.advance(60_000);
  }
});
afterAll(() => test.stop());

async function ask<Body>(method: string, path: string, body?: unknown) {
  const response = await test.request(`/v1/models${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

describe('a model', () => {
  it('is described, tagged and found by both', async () => {
    await ask('PATCH', '/churn', { description: 'Who leaves' });
    const tagged = await ask<Model>('POST', '/churn/tags', { key: 'team/lead', value: 'ada' });
    expect(modelSchema.parse(tagged.body)).toMatchObject({
      description: 'Who leaves',
      tags: { 'team/lead': 'ada' },
      championVersion: 2,
    });
    const found = async (query: string) => (await ask<Page<Model>>('GET', `?${query}`)).body.items.length;
    expect(await found('search=LEAVES%20ada')).toBe(1);
    expect(await found('tag=team/lead%3Dada')).toBe(1);
    expect(await found('search=absent')).toBe(0);
    const key = encodeURIComponent('team/lead');
    expect((await ask<Model>('DELETE', `/churn/tags/${key}`)).body.tags).toEqual({});
    expect(await ask<Problem>('DELETE', `/churn/tags/${key}`)).toMatchObject({
      status: 404,
      body: { title: 'tag-not-found' },
    });
  });

  it.each([
    [{ key: '', value: 'x' }],
    [{ key: 'a=b', value: 'x' }],
    [{ key: 'a', value: 'x'.repeat(5_001) }],
    [{ key: 'a', value: 'nul \0' }],
    [{ key: 'a' }],
  ])('refuses the tag %j', async (tag) => {
    expect((await ask('POST', '/churn/tags', tag)).status).toBe(400);
  });
});

describe('a version', () => {
  it('is described and tagged, and is compared with another', async () => {
    await ask('PATCH', '/churn/versions/1', { description: 'First' });
    const tagged = await ask<ModelVersion>('POST', '/churn/versions/1/tags', { key: 'state', value: 'old' });
    expect(tagged.body).toMatchObject({ version: 1, description: 'First', tags: { state: 'old' } });
    const { body } = await ask('GET', '/churn/compare?a=1&b=2');
    const { differences } = versionComparisonSchema.parse(body);
    expect(differences).toContainEqual({ path: 'said.description', a: 'First', b: '' });
    expect((await ask<ModelVersion>('DELETE', '/churn/versions/1/tags/state')).body.tags).toEqual({});
  });

  it('must be there to be compared', async () => {
    expect(await ask<Problem>('GET', '/churn/compare?a=1&b=9')).toMatchObject({
      status: 404,
      body: { title: 'version-not-found' },
    });
    expect((await ask('GET', '/churn/compare?a=1')).status).toBe(400);
  });
});

describe('an alias', () => {
  const reason = 'to try it';

  it('other than champion is moved by compare and set, removed, and remembered', async () => {
    const path = '/churn/aliases/challenger';
    const move = { version: 1, reason, expectedRevision: 0 };
    expect((await ask<Alias>('POST', path, move)).body).toMatchObject({ version: 1, revision: 1 });
    expect(await ask<Problem>('POST', path, move)).toMatchObject({
      status: 409,
      body: { title: 'conflict' },
    });
    const then = test.clock.now().toISOString();
    test.clock.advance(60_000);
    expect((await ask<AliasMove>('DELETE', path)).body).toMatchObject({ version: null, previousVersion: 1 });
    expect(aliasMoveSchema.parse((await ask('GET', path)).body)).toMatchObject({
      version: null,
      revision: 2,
    });
    expect((await ask<AliasMove>('GET', `${path}?at=${then}`)).body).toMatchObject({ version: 1, reason });
    expect((await ask('GET', `${path}?at=2001-01-01T00:00:00Z`)).status).toBe(404);
    expect((await ask<Page<AliasMove>>('GET', `${path}/history`)).body.items).toHaveLength(2);
  });

  it('needs a reason, and a version that is there', async () => {
    expect((await ask('POST', '/churn/aliases/shadow', { version: 1 })).status).toBe(400);
    expect((await ask('POST', '/churn/aliases/shadow', { version: 9, reason })).status).toBe(404);
  });

  it('champion is refused with the way to do it', async () => {
    const refused = await ask<Problem>('POST', '/churn/aliases/champion', { version: 1, reason });
    expect(refused).toMatchObject({ status: 400, body: { title: 'invalid-request' } });
    expect(refused.body.detail).toContain('perennial release request churn@1');
    expect((await ask<Problem>('DELETE', '/churn/aliases/champion')).body.detail).toContain(
      'perennial rollback',
    );
    expect((await ask<AliasMove>('GET', '/churn/aliases/champion')).body).toMatchObject({ version: 2 });
  });
});
