import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem, Run } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 10, perDay: 100 });
const csv = toCsv(visits);
const pipeline = (name: string, options: Partial<Parameters<typeof pipelineSource>[0]> = {}) => ({
  [`pipelines/${name}/pipeline.ts`]: pipelineSource({ name, ...options }),
});

let test: TestPlatform;
let first: Run;

beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': csv,
      'pipelines/empty.csv': '',
      'pipelines/header-only.csv': 'at,visitor,pages,country,bought\n',
      'pipelines/lacks-column.csv': csv.replaceAll(/,(?:country|de|fr|us|jp),/g, ','),
      'pipelines/truncated.parquet': Buffer.from('PAR1 and then nothing of use'),
      ...pipeline('visits'),
      ...pipeline('waiting', { release: "{ approval: 'required' }" }),
      ...pipeline('missing-file', { file: '../nowhere.csv' }),
      ...pipeline('empty-file', { file: '../empty.csv' }),
      ...pipeline('header-only', { file: '../header-only.csv' }),
      ...pipeline('lacks-column', { file: '../lacks-column.csv' }),
      'pipelines/truncated/pipeline.ts': pipelineSource({ name: 'truncated', file: '../truncated.parquet' })
        .replace('csv(', 'parquet(')
        .replace('import { ', 'import { parquet, '),
      ...pipeline('one-class', { label: "binary('bought', { from: 'pages >= 0' })" }),
      ...pipeline('bad-label', { label: "binary('bought', { from: 'no_such_column > 1' })" }),
      ...pipeline('dies', {
        prelude: "const die = () => { console.error('last words'); process.kill(process.pid, 'SIGKILL'); };",
        train: 'custom(() => { die(); throw new Error(); }, { epochs: 1, batchSize: 64 })',
      }),
      ...pipeline('throws', {
        train: "custom(() => { throw new Error('I have no idea'); }, { epochs: 1, batchSize: 64 })",
      }),
    },
  });
  first = await test.run('visits');
}, 120_000);
afterAll(() => test.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  test.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const predict = (instances: unknown, model = 'visits') => post(`/v1/models/${model}/predict`, { instances });
const problemOf = async (response: Response) => (await response.json()) as Problem;
const countPredictions = async () => {
  const { items } = await test.client.listPredictions({ query: { model: 'visits', limit: 500 } });
  return items.length;
};

it('begins with a champion that answers', async () => {
  expect(first).toMatchObject({ state: 'succeeded', version: 1, verdict: 'no-baseline' });
  const response = await predict([features(visits[0]!)]);
  expect(response.status).toBe(200);
});

describe('a prediction request', () => {
  const good = { pages: 3, country: 'de' };
  it.each([
    ['an unknown field', { ...good, color: 'red' }, 'instances[0].color'],
    ['a missing feature', { pages: 3 }, 'instances[0].country'],
    ['a wrong type', { ...good, country: 7 }, 'instances[0].country'],
    ['a number as a string', { ...good, pages: '3' }, 'instances[0].pages'],
    ['NaN as a string', { ...good, pages: 'NaN' }, 'instances[0].pages'],
    ['an array for an instance', [3, 'de'], 'instances[0]'],
    ['null for an instance', null, 'instances[0]'],
  ])('with %s is refused, naming the field', async (_, instance, path) => {
    const before = await countPredictions();
    const response = await predict([instance]);
    const problem = await problemOf(response);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.title).toBe('invalid-instance');
    expect((problem.details?.['issues'] as { path: string }[])[0]?.path).toBe(path);
    expect(await countPredictions()).toBe(before);
  });

  it('with an infinite number is refused', async () => {
    const response = await post(
      '/v1/models/visits/predict',
      '{"instances":[{"pages":1e999,"country":"de"}]}',
    );
    expect(response.status).toBe(400);
    expect((await problemOf(response)).title).toBe('invalid-instance');
  });

  it('with one bad row among good ones predicts none of them', async () => {
    const before = await countPredictions();
    expect((await predict([good, { ...good, pages: 'x' }, good])).status).toBe(400);
    expect(await countPredictions()).toBe(before);
  });

  it.each(['{"instances":[{"pages":NaN}]}', '{"instances":[', 'pages=3', '[]', '"x"'])(
    'whose body is %s is refused',
    async (body) => {
      const response = await post('/v1/models/visits/predict', body);
      expect(response.status).toBe(400);
      expect((await problemOf(response)).title).toBe('invalid-request');
    },
  );

  it('of 10 MB is refused before it is parsed', async () => {
    const response = await predict([{ ...good, country: 'x'.repeat(10_000_000) }]);
    expect(response.status).toBe(413);
    expect((await problemOf(response)).title).toBe('too-large');
  });

  it.each([0, 100_000])('with %i instances is refused', async (count) => {
    const response = await predict(Array.from({ length: count }, () => good));
    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toMatch(/instances/);
  });

  it('with a content type other than JSON is refused', async () => {
    const response = await post('/v1/models/visits/predict', 'pages=3', { 'content-type': 'text/csv' });
    expect(response.status).toBe(415);
  });

  it('with more keys than instances is refused', async () => {
    const response = await post('/v1/models/visits/predict', { instances: [good], keys: ['a', 'b'] });
    expect(response.status).toBe(400);
  });

  it('for an unknown model is told so', async () => {
    const response = await predict([good], 'nothing');
    expect(response.status).toBe(404);
    expect((await problemOf(response)).title).toBe('model-not-found');
  });

  it('for a name that is no name is refused', async () => {
    expect((await predict([good], '..%2F..%2Fetc')).status).toBe(400);
  });

  it('for a model with no champion is told so', async () => {
    expect(await test.run('waiting')).toMatchObject({ state: 'succeeded', verdict: 'no-baseline' });
    const response = await predict([good], 'waiting');
    expect(response.status).toBe(409);
    expect((await problemOf(response)).title).toBe('no-champion');
  });
});

describe('ground truth', () => {
  it('for an unknown prediction is 404 and records nothing', async () => {
    const response = await post('/v1/ground-truth', {
      items: [{ prediction: `pred_${randomUUID()}`, label: true }],
    });
    expect(response.status).toBe(404);
    expect((await problemOf(response)).title).toBe('prediction-not-found');
  });

  it('for an unknown key is pending', async () => {
    const response = await post('/v1/ground-truth', {
      items: [{ model: 'visits', key: 'later', label: true }],
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ accepted: 1, pending: 1 });
  });

  it('that is no label of the model is refused', async () => {
    const response = await post('/v1/ground-truth', {
      items: [{ model: 'visits', key: 'a', label: 'maybe' }],
    });
    expect(response.status).toBe(400);
  });

  it('follows its prediction at once', async () => {
    const answer = await test.client.predict({
      params: { model: 'visits' },
      body: { instances: [features(visits[1]!)] },
    });
    const items = [{ prediction: answer.predictions[0]!.id, label: visits[1]!.bought }];
    expect(await test.client.postGroundTruth({ body: { items } })).toEqual({ accepted: 1, pending: 0 });
  });
});

describe('a run over bad data ends as failed and says why', () => {
  it.each([
    ['missing-file', 'source-invalid', /nowhere\.csv/],
    ['empty-file', 'source-invalid', /empty/],
    ['header-only', 'source-invalid', /empty|no rows/i],
    ['lacks-column', 'source-invalid', /country/],
    ['truncated', 'source-invalid', /truncated\.parquet/],
    ['one-class', 'data-invalid', /class/],
    ['bad-label', 'pipeline-invalid', /label\.from/],
  ])('%s', async (name, code, message) => {
    const run = await test.run(name);
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    expect(run.error?.message).toMatch(message);
    expect(run.steps.map((step) => [step.name, step.state])).toEqual([['data', 'failed']]);
  });

  it('a window with no rows', async () => {
    const run = await test.run('visits', { asOf: '2030-01-01T00:00:00Z' });
    expect(run).toMatchObject({ state: 'failed', error: { code: 'data-invalid' } });
    expect(run.error?.message).toMatch(/no rows/i);
  });
});

describe('a training that goes wrong', () => {
  it('by dying leaves its last lines on the run, and the champion goes on serving', async () => {
    const run = await test.run('dies');
    expect(run).toMatchObject({ state: 'failed', error: { code: 'training-failed' } });
    expect(JSON.stringify(run.error)).toContain('last words');
    expect((await predict([features(visits[0]!)])).status).toBe(200);
    await expect(test.client.getModel({ params: { model: 'dies' } })).rejects.toMatchObject({
      code: 'model-not-found',
    });
  });

  it("by the author's own error names it", async () => {
    const run = await test.run('throws');
    expect(run.state).toBe('failed');
    expect(JSON.stringify(run.error)).toContain('I have no idea');
  });
});

describe('other requests', () => {
  it('to nowhere are 404 problems', async () => {
    const response = await test.request('/v1/nowhere');
    expect(response.status).toBe(404);
    expect((await problemOf(response)).title).toBe('not-found');
  });

  it('with the wrong method are 405', async () => {
    expect((await test.request('/v1/ground-truth')).status).toBe(405);
  });

  it('with a bad cursor or limit are 400', async () => {
    expect((await test.request('/v1/runs?cursor=zzz')).status).toBe(400);
    expect((await test.request('/v1/runs?limit=1000000')).status).toBe(400);
  });

  it('through a name that is not this machine are refused while there is no token', async () => {
    const { get } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const url = new URL('/v1/models', test.platform.url);
      get(url, { headers: { host: 'evil.example' } }, (response) => resolve(response.statusCode)).on(
        'error',
        reject,
      );
    });
    expect(status).toBe(403);
  });
});
