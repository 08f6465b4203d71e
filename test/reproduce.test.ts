import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { perennial, type Outcome } from '@perennial/cli/testing';
import { reproductionSchema, type Reproduction } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { trainedCard } from './harness/trained-card.ts';
import { makeVisits, toCsv, type Visit } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 11, perDay: 200 });
const MODEL = 'visits';

let test: TestPlatform;

beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({
        name: MODEL,
        train: 'mlp({ hidden: [8], epochs: 3, batchSize: 64, learningRate: 0.01, warmStart: true })',
      }),
    },
  });
  for (const asOf of ['2024-03-10T00:00:00Z', '2024-03-11T00:00:00Z'])
    expect(await test.run(MODEL, { asOf })).toMatchObject({ state: 'succeeded' });
}, 120_000);
afterAll(() => test.stop());

const reproduce = (...words: string[]): Promise<Outcome> =>
  perennial('reproduce', ...words, '--url', test.platform.url);
const replaceSource = (rows: Visit[]) => writeFile(join(test.folder, 'pipelines/visits.csv'), toCsv(rows));

describe('perennial reproduce', { timeout: 60_000 }, () => {
  it('finds a first version identical, and one that began at the weights of another', async () => {
    const first = await reproduce(`${MODEL}@1`);
    expect(first).toMatchObject({ status: 0, errors: '' });
    expect(first.out).toMatch(/^repro_[0-9a-f-]{36} of visits@1\n/);
    expect(first.out).toMatch(/\nidentical\n$/);

    const version = await test.client.getVersion({ params: { model: MODEL, version: 2 } });
    expect(trainedCard(version).training.warmStart.from).toBeDefined();
    expect((await reproduce(`${MODEL}@2`)).out).toMatch(/\nidentical\n$/);
  });

  it('says where it differs after the source was changed, and ends with 1', async () => {
    await replaceSource(visits.map((visit, i) => (i === 900 ? { ...visit, pages: visit.pages + 1 } : visit)));
    const { status, out } = await reproduce(`${MODEL}@1`);
    expect(status).toBe(1);
    expect(out).toMatch(/different in \d+ places/);
    expect(out).toMatch(/source\.files\.\S*visits\.csv\.digest/);
    expect(out).toContain('dataset.splits.train.digest');
  });

  it('writes JSON for programs', async () => {
    const { status, out } = await reproduce(`${MODEL}@1`, '--json');
    const outcome = reproductionSchema.parse(JSON.parse(out));
    expect(status).toBe(1);
    expect(outcome).toMatchObject({ model: MODEL, version: 1, state: 'different', error: null });
    expect(outcome.differences.map(({ what }) => what)).toContain('dataset');
    const again = await test.client.getReproduction({ params: { reproduction: outcome.id } });
    expect(again).toEqual<Reproduction>(outcome);
  });

  it('ends with 2 where the source is gone, naming it', async () => {
    await rm(join(test.folder, 'pipelines/visits.csv'));
    const { status, errors } = await reproduce(`${MODEL}@1`);
    expect(status).toBe(2);
    expect(errors).toMatch(/^perennial: .*visits\.csv/);
  });

  it('registers nothing', async () => {
    const { latestVersion } = await test.client.getModel({ params: { model: MODEL } });
    expect(latestVersion).toBe(2);
  });

  it('returns at once when nobody wants to watch', async () => {
    const { status, out } = await reproduce(`${MODEL}@1`, '--detach');
    expect(status).toBe(0);
    expect(out).toMatch(/It goes on at the server\. Its outcome will be at \/v1\/reproductions\/repro_/);
  });

  it.each(['visits', 'visits@', 'visits@one', 'visits@1@2', 'Visits@1', 'visits@0'])(
    'refuses %s, which is no version',
    async (text) => {
      const { status, errors } = await reproduce(text);
      expect(status).toBe(2);
      expect(errors).toContain(`'${text}' is not a model and a version, such as flight-delay@12.`);
    },
  );

  it('of a version that there is not ends with the server’s sentence', async () => {
    const { status, errors } = await reproduce(`${MODEL}@9`);
    expect(status).toBe(1);
    expect(errors).toContain("There is no version 'visits@9'.");
  });
});

describe('POST /v1/models/{model}/versions/{version}/reproductions', () => {
  it('is done once for one Idempotency-Key', async () => {
    const params = { model: MODEL, version: 1 };
    const options = { idempotencyKey: 'once' };
    const one = await test.client.startReproduction({ params }, options);
    const two = await test.client.startReproduction({ params }, options);
    expect(two.id).toBe(one.id);
  });

  it('says that there is no such reproduction', async () => {
    const reproduction = 'repro_01890000-0000-7000-8000-000000000000' as Reproduction['id'];
    await expect(test.client.getReproduction({ params: { reproduction } })).rejects.toMatchObject({
      code: 'reproduction-not-found',
      status: 404,
    });
  });
});
