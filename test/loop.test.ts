import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError, watchRun } from '@perennial/client';
import type { Run, TrainingResult } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { runToEnd, startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { trainedCard } from './harness/trained-card.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 15, perDay: 300 });
const MODEL = 'visits';

let test: TestPlatform;
let first: Run;

beforeAll(async () => {
  const broken = toCsv(visits).replace(/,(de|fr),/, ',,');
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': broken,
      'pipelines/visits/pipeline.ts': pipelineSource({
        name: MODEL,
        data: "expectations: [notNull('country')],",
        train: 'mlp({ hidden: [8], epochs: 3, batchSize: 64, learningRate: 0.01, warmStart: { epochs: 2 } })',
      }),
      'pipelines/slow/pipeline.ts': pipelineSource({
        name: 'slow',
        train: 'mlp({ hidden: [64, 64, 64], epochs: 10000, batchSize: 8 })',
      }),
    },
  });
  first = await test.run(MODEL, { asOf: '2024-03-10T00:00:00Z' });
}, 120_000);
afterAll(() => test.stop());

const training = (run: Run) =>
  run.steps.find((step) => step.name === 'training')?.output as unknown as TrainingResult;

describe('the loop', () => {
  it('makes a first version, with its dataset, card, evaluation and lineage', async () => {
    expect(first).toMatchObject({ state: 'succeeded', version: 1, verdict: 'no-baseline', error: null });
    expect(first.steps.map((step) => [step.name, step.state])).toEqual([
      ['data', 'succeeded'],
      ['training', 'succeeded'],
      ['validation', 'succeeded'],
      ['registration', 'succeeded'],
    ]);
    const version = await test.client.getVersion({ params: { model: MODEL, version: 1 } });
    expect(version).toMatchObject({
      aliases: ['champion'],
      lineage: { run: first.id, dataset: first.dataset },
    });
    expect(trainedCard(version).evaluation.metrics.auc).toBeGreaterThan(0.7);
    expect(trainedCard(version).training.parity?.maxDifference).toBeLessThan(1e-4);
    const dataset = await test.client.getDataset({ params: { dataset: first.dataset ?? '' } });
    expect(dataset.manifest.splits).toMatchObject({ test: { rows: 300 }, validation: { rows: 300 } });
    expect(dataset.card.quarantine).toMatchObject({ rows: 1, reasons: [{ rows: 1 }] });
  });

  it('trains the same day again to the same bytes, whatever was promoted in between', async () => {
    const again = await test.run(MODEL, { asOf: '2024-03-10T00:00:00Z', force: true });
    expect(again).toMatchObject({ state: 'succeeded', version: 2, verdict: 'pass' });
    expect(again.dataset).toBe(first.dataset);
    expect(again.steps.map((step) => step.state)).not.toContain('reused');
    expect(training(again).artifact).toBe(training(first).artifact);

    const next = await test.run(MODEL, { asOf: '2024-03-11T00:00:00Z' });
    expect(training(next).warmStart.from).toBe(training(first).artifact);
    const nextAgain = await test.run(MODEL, { asOf: '2024-03-11T00:00:00Z', force: true });
    expect(training(nextAgain).artifact).toBe(training(next).artifact);
  });

  it('takes the output of an earlier run where the inputs are the same and nobody forces it', async () => {
    const run = await test.run(MODEL, { asOf: '2024-03-10T00:00:00Z' });
    expect(run.steps.find((step) => step.name === 'training')).toMatchObject({ state: 'reused' });
    expect(training(run).artifact).toBe(training(first).artifact);
  });

  it('serves what the gate let in, and keeps the history of the champion', async () => {
    const { championVersion, latestVersion } = await test.client.getModel({ params: { model: MODEL } });
    const answer = await test.client.predict({
      params: { model: MODEL },
      body: {
        instances: visits.slice(0, 50).map(features),
        keys: visits.slice(0, 50).map((visit) => visit.visitor),
      },
    });
    expect(answer.version).toBe(championVersion);
    const { items: moves } = await test.client.listAliasMoves({
      params: { model: MODEL, alias: 'champion' },
      query: {},
    });
    expect(moves[0]).toMatchObject({ version: championVersion, revision: moves.length });
    const { items: releases } = await test.client.listReleases({ query: { model: MODEL } });
    expect(releases.filter((release) => release.state === 'live')).toHaveLength(1);
    expect(latestVersion).toBeGreaterThanOrEqual(championVersion ?? 0);
  });

  it('joins what turned out to be true into live quality', async () => {
    const asked = visits.slice(0, 50);
    const items = asked.map((visit) => ({ model: MODEL, key: visit.visitor, label: visit.bought }));
    expect(await test.client.postGroundTruth({ body: { items } })).toEqual({ accepted: 50, pending: 0 });
    const report = await test.client.getMonitoring({ params: { model: MODEL }, query: {} });
    expect(report.days).toHaveLength(1);
    expect(report.days[0]).toMatchObject({ day: '2024-03-11', predictions: 50, labelled: 50 });
    expect(report.days[0]?.metrics.auc).toBeGreaterThan(0.6);
    expect(report.staleness).toMatchObject({ model: MODEL, version: expect.any(Number) as number });
  });
});

describe('a run', () => {
  it('streams its events with progress between, and ends with itself', async () => {
    const { id } = await test.client.startRun({ params: { pipeline: MODEL }, body: { force: true } });
    const types: string[] = [];
    let last: unknown;
    for await (const message of watchRun(test.client, id)) {
      if (types.at(-1) !== message.type) types.push(message.type);
      last = message.data;
    }
    expect(types[0]).toBe('event');
    expect(types).toContain('progress');
    expect(types.at(-1)).toBe('end');
    expect(last).toMatchObject({ id, state: 'succeeded' });
    const page = await test.client.listRunEvents({ params: { run: id }, query: { limit: 3 } });
    expect(page.items.map(({ sequence, event }) => [sequence, event.type])).toEqual([
      [1, 'created'],
      [2, 'started'],
      [3, 'step-started'],
    ]);
    expect(page.nextCursor).not.toBeNull();
  });

  it('can be cancelled while it trains, and makes no version', async () => {
    const { id } = await test.client.startRun({ params: { pipeline: 'slow' }, body: {} });
    for await (const message of watchRun(test.client, id)) {
      if (message.type === 'progress' && (message.data as { step: string }).step === 'training') break;
    }
    expect(await test.client.cancelRun({ params: { run: id } })).toMatchObject({
      state: 'cancelled',
    });
    expect(await runToEnd(test.client, id)).toMatchObject({ state: 'cancelled', version: null });
    await expect(test.client.getModel({ params: { model: 'slow' } })).rejects.toThrow(ApiError);
    await expect(test.client.cancelRun({ params: { run: id } })).rejects.toMatchObject({
      code: 'transition-refused',
    });
  });

  it('is started once for one Idempotency-Key', async () => {
    const body = { asOf: '2024-03-10T00:00:00Z' };
    const options = { idempotencyKey: 'once' };
    const one = await test.client.startRun({ params: { pipeline: MODEL }, body }, options);
    const two = await test.client.startRun({ params: { pipeline: MODEL }, body }, options);
    expect(two.id).toBe(one.id);
    await expect(
      test.client.startRun({ params: { pipeline: MODEL }, body: { ...body, force: true } }, options),
    ).rejects.toMatchObject({ code: 'idempotency-conflict', status: 409 });
    await runToEnd(test.client, one.id);
  });
});

describe('the API', () => {
  it('gives the model card as Markdown when asked', async () => {
    const response = await test.request(`/v1/models/${MODEL}/versions/1/card`, {
      headers: { accept: 'text/markdown' },
    });
    expect(response.headers.get('content-type')).toContain('text/markdown');
    expect(await response.text()).toMatch(/^# .*visits/);
  });

  it('pages lists by cursor without gaps or twins', async () => {
    const versions: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await test.client.listVersions({ params: { model: MODEL }, query: { limit: 2, cursor } });
      versions.push(...page.items.map((item) => item.version));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const { latestVersion } = await test.client.getModel({ params: { model: MODEL } });
    expect(versions).toEqual(Array.from({ length: latestVersion }, (_, i) => latestVersion - i));
  });

  it('describes itself, counts itself and says that it is ready', async () => {
    const document = (await (await test.request('/openapi.json')).json()) as { paths: object };
    expect(Object.keys(document.paths)).toContain('/v1/models/{model}/predict');
    expect(await (await test.request('/readyz')).json()).toEqual({
      ready: true,
      parts: { serving: true, database: true },
    });
    const metrics = await (await test.request('/metrics')).text();
    expect(metrics).toMatch(/perennial_journal_records_total \d+/);
    expect(metrics).toMatch(/perennial_predictions_total\{model="visits",version="\d+"\} 50/);
    expect((await test.request('/docs')).status).toBe(200);
    expect((await test.request('/docs/swagger-ui-bundle.js')).status).toBe(200);
  });

  it('lets the doctor look', { timeout: 60_000 }, async () => {
    const { checkups } = await test.client.getDoctor({});
    expect(checkups.map((checkup) => checkup.name)).toEqual([
      'runtime',
      'database',
      'artifact store',
      'access',
      'training backend',
    ]);
    expect(checkups.filter((checkup) => checkup.state === 'bad')).toEqual([]);
  });
});
