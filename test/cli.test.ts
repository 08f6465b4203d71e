import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adviceSchema,
  asyncPredictionSchema,
  modelVersionDetailSchema,
  predictResponseSchema,
  type Run,
} from '@perennial/contract';
import { perennial, type Outcome } from '@perennial/cli/testing';
import { pipelineSource } from './harness/pipeline-source.ts';
import { runToEnd, startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 10, perDay: 100 });

let test: TestPlatform;
let ran: Outcome;
beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({ name: 'visits' }),
      'pipelines/broken/pipeline.ts': pipelineSource({ name: 'broken', file: '../nowhere.csv' }),
    },
  });
  ran = await on('run', 'visits', '--as-of', '2024-03-11');
}, 120_000);
afterAll(() => test.stop());

const on = (...words: string[]) => perennial(...words, '--url', test.platform.url);

describe('perennial run', () => {
  it('watches a run to its end and says what came of it', () => {
    const [started, ...lines] = ran.out.trimEnd().split('\n');
    expect(started).toMatch(/^run_[0-9a-f-]{36} started$/);
    expect(lines).toEqual([
      'data …',
      'data done',
      'training …',
      'training done',
      'validation …',
      'validation done',
      'registration …',
      'registration done',
      'visits@1 registered, verdict no-baseline',
    ]);
    expect(ran).toMatchObject({ status: 0, errors: '' });
  });

  it('takes a day for its midnight in UTC', async () => {
    const { items } = await test.client.listRuns({ query: { pipeline: 'visits' } });
    expect(items.map((run) => run.asOf)).toContain('2024-03-11T00:00:00.000Z');
  });

  it('ends with 1 when the run fails, and says why', async () => {
    const { status, out } = await on('run', 'broken');
    expect(status).toBe(1);
    expect(out).toMatch(/run_\S+ failed: .*nowhere\.csv/);
  });

  it('returns at once when nobody wants to watch', async () => {
    const { status, out } = await on('run', 'visits', '--detach', '--as-of', '2024-03-11T00:00:00Z');
    expect(status).toBe(0);
    const id = /^(run_\S+) started\n$/.exec(out)?.[1];
    expect(await runToEnd(test.client, id as Run['id'])).toMatchObject({ state: 'succeeded' });
  });

  it('of a pipeline that is not there ends with 1 and the server’s sentence', async () => {
    const { status, errors } = await on('run', 'absent');
    expect(status).toBe(1);
    expect(errors).toMatch(
      /^perennial: There is no pipeline 'absent'\.\n\(pipeline-not-found, request [0-9a-f-]+\)\n$/,
    );
  });
});

describe('perennial models', () => {
  it('lists models, and the versions of one', async () => {
    const models = await on('models');
    expect(models.out).toMatch(/model.*versions.*champion.*created/);
    expect(models.out).toMatch(/visits\s+│\s+\d+\s+│\s+\d+\s+│.*│\s+2024-03-11/);
    const versions = await on('models', 'visits');
    expect(versions.out).toMatch(/1\s+│ no-baseline\s+│ 2024-03-11 │ auc 0\.\d{4}/);
  });

  it('shows one version whole', async () => {
    const { status, out } = await on('models', 'visits@1');
    expect(status).toBe(0);
    expect(modelVersionDetailSchema.parse(JSON.parse(out))).toMatchObject({ model: 'visits', version: 1 });
  });

  it('lists as JSON for a program', async () => {
    const { out } = await on('models', '--json');
    expect(JSON.parse(out)).toMatchObject([
      { name: 'visits', championVersion: expect.any(Number) as number },
    ]);
  });

  it('of a model or version that is not there ends with 1', async () => {
    expect(await on('models', 'absent')).toMatchObject({
      status: 1,
      errors: expect.stringContaining("There is no model 'absent'") as string,
    });
    expect(await on('models', 'visits@999')).toMatchObject({
      status: 1,
      errors: expect.stringContaining('version-not-found') as string,
    });
  });
});

describe('perennial predict', () => {
  const instances = visits.slice(0, 3).map(features);

  it('answers one instance and several, with their keys', async () => {
    const one = await on('predict', 'visits', '--data', JSON.stringify(instances[0]));
    expect(predictResponseSchema.parse(JSON.parse(one.out)).predictions).toHaveLength(1);
    const file = join(test.folder, 'instances.json');
    await writeFile(file, JSON.stringify(instances));
    const several = await on('predict', 'visits', '--file', file, '--key', 'a', 'b', 'c');
    expect(predictResponseSchema.parse(JSON.parse(several.out)).predictions).toHaveLength(3);
    const { items } = await test.client.listPredictions({ query: { model: 'visits', key: 'b' } });
    expect(items).toHaveLength(1);
  });

  it('has it answered later, and waits for that where it should', async () => {
    const data = ['--data', JSON.stringify(instances[0])];
    const taken = asyncPredictionSchema.parse(
      JSON.parse((await on('predict', 'visits', ...data, '--async')).out),
    );
    expect(taken.state).toBe('queued');
    const params = { asyncPrediction: taken.id };
    const found = await test.client.getAsyncPrediction({ params, query: { wait: '60s' } });
    expect(found.response?.predictions).toHaveLength(1);
    const { status, out } = await on('predict', 'visits', ...data, '--async', '--wait');
    expect(status).toBe(0);
    expect(asyncPredictionSchema.parse(JSON.parse(out)).response?.predictions).toHaveLength(1);
  });

  it('says which field of which instance is wrong', async () => {
    const { status, errors } = await on('predict', 'visits', '--data', '{"pages":"three","country":"de"}');
    expect(status).toBe(1);
    expect(errors).toMatch(/\n {2}instances\[0\]\.pages: must be .*\n\(invalid-instance, request /);
  });
});

describe('perennial advise', () => {
  it('says what the log tells of the keys that were asked for, or that it tells nothing', async () => {
    const instances = visits.slice(0, 3).map(features);
    await test.client.predict({ params: { model: 'visits' }, body: { instances } });
    const { status, out } = await on('advise', 'visits');
    expect(status).toBe(0);
    expect(out).toMatch(/predictions \(\d+ a day, \d+ without a key\)/);
    expect(out).toMatch(/Recommended: dynamic\n {2}\S/);
    const { out: json } = await on('advise', 'visits', '--window', '1d', '--json');
    expect(adviceSchema.parse(JSON.parse(json)).model).toBe('visits');
    expect((await on('advise', 'nothing')).errors).toContain('model-not-found');
  });
});

describe('perennial doctor', () => {
  it('gives the running platform’s own word, a line for each thing', { timeout: 60_000 }, async () => {
    const { status, out } = await on('doctor');
    expect(status).toBe(0);
    expect(out).toMatch(/^(ok {2}|weak) runtime +Node\.js/m);
    expect(out).toMatch(/^ok {3}database +PostgreSQL \d+/m);
    expect(out).not.toMatch(/No answer from/);
  });
});

it('a token is asked for by a platform that has one', async () => {
  const guarded = await startTestPlatform({ files: {}, config: { adminToken: 'a-token-of-some-length' } });
  try {
    const refused = await perennial('models', '--url', guarded.platform.url);
    expect(refused).toMatchObject({
      status: 1,
      errors: expect.stringContaining('unauthenticated') as string,
    });
    const words = ['--url', guarded.platform.url, '--token', 'a-token-of-some-length'];
    expect(await perennial('models', ...words)).toMatchObject({ status: 0, errors: '' });
  } finally {
    await guarded.stop();
  }
});
