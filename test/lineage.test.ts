import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId, type PredictionLineage, type Run } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 12, perDay: 200 });
const MODEL = 'visits';

interface ReceivedEvent {
  eventType: string;
  run: { runId: string };
  job: { namespace: string; name: string };
  inputs: { name: string; facets: { version?: { datasetVersion: string } } }[];
  outputs: { name: string; facets: { version?: { datasetVersion: string } } }[];
}

/** Receives OpenLineage events; busy with something else the first time that it is asked. */
let receiver: Server;
const received: ReceivedEvent[] = [];
let turnedAway = 0;

let test: TestPlatform;
let runs: Run[];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      if (turnedAway === 0) {
        turnedAway += 1;
        response.writeHead(503).end();
        return;
      }
      received.push(JSON.parse(body) as ReceivedEvent);
      response.writeHead(201).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/api/v1/lineage`;
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({
        name: MODEL,
        train: 'mlp({ hidden: [8], epochs: 3, batchSize: 64, learningRate: 0.01, warmStart: { epochs: 2 } })',
      }),
    },
    config: { lineage: { receiver: { url, apiKey: null }, namespace: 'test' } },
  });
  const first = await test.run(MODEL, { asOf: '2024-03-10T00:00:00Z' });
  await appendToSource();
  runs = [first, await test.run(MODEL, { asOf: '2024-03-11T00:00:00Z' })];
}, 120_000);
afterAll(async () => {
  await test.stop();
  receiver.closeAllConnections();
  receiver.close();
});

const sourcePath = () => join(test.folder, 'pipelines/visits.csv');
const sourceDigests: string[] = [];

/** As `sha256sum` says it. */
async function digestOfSource(): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(sourcePath()))
    .digest('hex')}`;
}

/** Another day comes in, so that each run read another file. */
async function appendToSource(): Promise<void> {
  sourceDigests.push(await digestOfSource());
  const more = toCsv(makeVisits({ from: '2024-03-13', days: 1, perDay: 10, seed: 2 }));
  const rows = more.slice(more.indexOf('\n') + 1);
  await writeFile(sourcePath(), `${(await readFile(sourcePath(), 'utf8')).trimEnd()}\n${rows}`);
  sourceDigests.push(await digestOfSource());
}

async function predict(): Promise<PredictionLineage> {
  const body = { instances: visits.slice(0, 1).map(features) };
  const { predictions } = await test.client.predict({ params: { model: MODEL }, body });
  return test.client.getPredictionLineage({ params: { prediction: predictions[0]?.id ?? '' } });
}

const aboutFile = (digest: string | undefined) =>
  test.client.getFileLineage({ params: { digest: digest ?? '' } });

describe('lineage', () => {
  it('leads from an answer to the run, the dataset version and the very file that they were made from', async () => {
    const found = await predict();
    const { items: releases } = await test.client.listReleases({ query: { model: MODEL, state: 'live' } });
    const run = runs[found.version - 1];
    expect(run?.state).toBe('succeeded');
    expect(found).toMatchObject({
      model: MODEL,
      release: releases[0]?.id,
      lineage: { kind: 'run', run: run?.id, pipeline: MODEL },
      dataset: { digest: run?.dataset, files: [{ digest: sourceDigests[found.version - 1] }] },
    });
    expect(found.dataset?.files[0]?.name).toBe('../visits.csv');
  });

  it('leads from each file to the versions that ate it, and to those that came down from one', async () => {
    const [first, second] = sourceDigests;
    const { ancestors } = await test.client
      .getVersion({ params: { model: MODEL, version: 2 } })
      .then(({ lineage }) => ({ ancestors: lineage.kind === 'run' && lineage.warmStartedFrom !== null }));
    expect(ancestors).toBe(true);
    const ate = async (digest: string | undefined) =>
      (await aboutFile(digest)).versions.map(({ version, inherited }) => ({ version, inherited }));
    expect(await ate(first)).toEqual([
      { version: 1, inherited: false },
      { version: 2, inherited: true },
    ]);
    expect(await ate(second)).toEqual([{ version: 2, inherited: false }]);
    const { datasets, names } = await aboutFile(first);
    expect(datasets.map(({ digest }) => digest)).toEqual([runs[0]?.dataset]);
    expect(names).toEqual(['../visits.csv']);
  });

  it('knows of a file that nobody read only that', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(await aboutFile(digest)).toEqual({ digest, names: [], datasets: [], versions: [] });
  });
});

describe('an OpenLineage receiver', () => {
  it('is told of the start and the end of each run, also when it was away for a moment', async () => {
    const typesOf = (run: Run) =>
      received
        .filter((event) => event.run.runId === parseId('run', run.id))
        .map(({ eventType }) => eventType)
        .toSorted();
    await expect
      .poll(() => runs.map(typesOf), { timeout: 60_000 })
      .toEqual([
        ['COMPLETE', 'START'],
        ['COMPLETE', 'START'],
      ]);
    expect(turnedAway).toBe(1);
    const ended = received.filter(({ eventType }) => eventType === 'COMPLETE');
    const inputs = ended.flatMap((event) => event.inputs).map(({ facets }) => facets.version?.datasetVersion);
    expect(inputs.toSorted()).toEqual(sourceDigests.toSorted());
    for (const { job, inputs, outputs } of ended) {
      expect(job).toMatchObject({ namespace: 'test', name: MODEL });
      expect(inputs[0]?.name).toBe(sourcePath());
      expect(outputs.map(({ name }) => name)).toEqual([`datasets/${MODEL}`, `models/${MODEL}`]);
    }
  });
});
