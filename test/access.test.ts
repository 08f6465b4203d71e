import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '@perennial/client';
import type { CreatedToken, Token } from '@perennial/contract';
import { perennial } from '@perennial/cli/testing';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 10, perDay: 100 });
const visit = visits[0] as (typeof visits)[number];

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({ name: 'visits' }),
      'pipelines/others/pipeline.ts': pipelineSource({ name: 'others' }),
    },
  });
  for (const pipeline of ['visits', 'others']) await test.run(pipeline, { asOf: '2024-03-11T00:00:00Z' });
}, 120_000);
afterAll(() => test.stop());

const on = (...words: string[]) => perennial(...words, '--url', test.platform.url);

async function clientOf(request: { name: string; models?: string[] }) {
  const { secret } = await test.client.createToken({ body: { ...request, roles: ['operator'] } });
  return createClient({ baseUrl: test.platform.url, token: secret });
}

describe('perennial tokens', () => {
  it('makes a token, shows it once, lists it and revokes it', async () => {
    const made = await on(
      'tokens',
      'create',
      'airline app',
      '--role',
      'predictor',
      'viewer',
      '--model',
      'visits',
    );
    expect(made.status).toBe(0);
    expect(made.out).toMatch(/^perennial_[\w-]{43}\n$/);
    expect(made.errors).toMatch(
      /^tok_\S+ \(airline app\) is predictor, viewer of visits until it is revoked\./,
    );
    const token = made.out.trim();
    expect((await on('models', '--token', token)).status).toBe(0);

    const listed = await on('tokens', 'list', '--json');
    expect(listed.out).not.toContain(token);
    const found = (JSON.parse(listed.out) as Token[]).find(({ name }) => name === 'airline app');
    expect((await on('tokens', 'list')).out).toContain('airline app');

    const revoked = await on('tokens', 'revoke', found?.id ?? '');
    expect(revoked.out).toMatch(/^tok_\S+ \(airline app\) was revoked at 2024-/);
    const refused = await on('models', '--token', token);
    expect(refused).toMatchObject({
      status: 1,
      errors: expect.stringContaining('unauthenticated') as string,
    });
  });

  it('takes an end and a limit', async () => {
    const words = ['--role', 'viewer', '--expires', '2024-04-01T00:00:00Z', '--requests-per-minute', '7'];
    const { out } = await on('tokens', 'create', 'nightly', ...words, '--json');
    expect(JSON.parse(out) as CreatedToken).toMatchObject({
      models: null,
      expiresAt: '2024-04-01T00:00:00.000Z',
      requestsPerMinute: 7,
    });
  });

  const viewer = ['--role', 'viewer'];

  it.each([
    ['no role', { words: ['x'], message: /required option '--role/ }],
    ['an unknown role', { words: ['x', '--role', 'owner'], message: /Allowed choices are viewer/ }],
    ['a limit that is none', { words: ['x', ...viewer, '--requests-per-minute', '0'], message: /from 1 to/ }],
  ])('does not send a request with %s', async (_, { words, message }) => {
    const { status, errors } = await on('tokens', 'create', ...words);
    expect(status).toBe(2);
    expect(errors).toMatch(message);
  });

  it.each([
    ['an end in the past', { words: ['x', '--expires', '2020-01-01T00:00:00Z'], message: /later than now/ }],
    ['the name of the configuration’s own', { words: ['admin'], message: /is taken/ }],
    ['a name that another has', { words: ['nightly'], message: /'nightly' already/ }],
  ])('is told why there is none with %s', async (_, { words, message }) => {
    const { status, errors } = await on('tokens', 'create', ...words, ...viewer);
    expect(status).toBe(1);
    expect(errors).toMatch(message);
  });
});

describe('a token that is held to a model', () => {
  it('sees what belongs to it in every list, and nothing else', async () => {
    const client = await clientOf({ name: 'held', models: ['visits'] });
    const all = { query: { limit: 500 } };
    expect((await client.listModels(all)).items.map(({ name }) => name)).toEqual(['visits']);
    expect((await client.listPipelines(all)).items.map(({ name }) => name)).toEqual(['visits']);
    for (const { items } of [await client.listRuns(all), await client.listDatasets(all)]) {
      expect(items.length).toBeGreaterThan(0);
      for (const { pipeline } of items) expect(pipeline).toBe('visits');
    }
    for (const { model } of (await client.listReleases(all)).items) expect(model).toBe('visits');
    expect((await test.client.listModels(all)).items.map(({ name }) => name)).toEqual(['others', 'visits']);
  });

  it('must say which, where it has several', async () => {
    const client = await clientOf({ name: 'held to two', models: ['visits', 'others'] });
    await expect(client.listRuns({ query: {} })).rejects.toThrow("in the parameter 'pipeline'");
    const { items } = await client.listRuns({ query: { pipeline: 'others' } });
    expect(items).toHaveLength(1);
  });

  it('reads its runs, datasets and predictions by their ids, and no other’s', async () => {
    const client = await clientOf({ name: 'by id', models: ['visits'] });
    const [own, other] = await Promise.all(
      ['visits', 'others'].map(async (pipeline) => {
        const run = (await test.client.listRuns({ query: { pipeline } })).items[0];
        const dataset = (await test.client.listDatasets({ query: { pipeline } })).items[0];
        const body = { instances: [features(visit)] };
        const { predictions } = await test.client.predict({ params: { model: pipeline }, body });
        return { run: run?.id ?? '', dataset: dataset?.digest, prediction: predictions[0]?.id ?? '' };
      }),
    );
    expect((await client.getRun({ params: { run: own?.run ?? '' } })).pipeline).toBe('visits');
    expect((await client.getPrediction({ params: { prediction: own?.prediction ?? '' } })).model).toBe(
      'visits',
    );
    await expect(client.getRun({ params: { run: other?.run ?? '' } })).rejects.toThrow('none of theirs');
    await expect(client.getPrediction({ params: { prediction: other?.prediction ?? '' } })).rejects.toThrow(
      'none of theirs',
    );
    const facts = [own, other].map((one) => ({ prediction: one?.prediction ?? '', label: true }));
    await expect(client.postGroundTruth({ body: { items: facts } })).rejects.toThrow('none of theirs');
    expect(await client.postGroundTruth({ body: { items: facts.slice(0, 1) } })).toMatchObject({
      accepted: 1,
    });
  });
});
