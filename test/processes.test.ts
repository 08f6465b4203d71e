import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '@perennial/client';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { scratchFolder, writeFiles } from './harness/test-platform.ts';
import { UpProcess, lives } from './harness/up-process.ts';

let folder: string;
let remove: () => Promise<void>;
let started: UpProcess[];
beforeEach(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, { 'pipelines/README.md': 'None yet.' });
  started = [];
});
afterEach(async () => {
  for (const up of started) up.signal('SIGTERM');
  await Promise.all(started.map((up) => up.ended));
  await remove();
});

function start(processes: number): UpProcess {
  const place = ['--home', join(folder, 'home'), '--pipelines', join(folder, 'pipelines')];
  const up = new UpProcess(...place, '--processes', String(processes));
  started.push(up);
  return up;
}

async function putIntoProduction(url: string): Promise<void> {
  const client = createClient({ baseUrl: url });
  const file = Buffer.from(goodFile()).toString('base64');
  const body = { file, sample: GOOD_SAMPLE, output: GOOD_OUTPUT, description: '', note: '' };
  await client.importVersion({ params: { model: 'churn' }, body });
  await client.requestRelease({
    params: { model: 'churn', version: 1 },
    body: { reason: 'for the test', override: false },
  });
}

/** Asks over a connection of its own, so that the processes take turns; answers the prediction's id. */
async function predict(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/v1/models/churn/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ instances: [{ amount: 1, visits: 2 }], keys: [key] }),
  });
  const answer = (await response.json()) as { predictions: { id: string }[] };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.predictions[0]?.id ?? '';
}

async function idsOf(url: string, key: string): Promise<string[]> {
  const { items } = await createClient({ baseUrl: url }).listPredictions({
    query: { model: 'churn', key, limit: 100 },
  });
  return items.map(({ id }) => id);
}

async function servingProcesses(up: UpProcess): Promise<number[]> {
  const children = await up.children();
  const serving = await Promise.all(
    children.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes('serving-process.js') ? [pid] : [];
    }),
  );
  return serving.flat();
}

describe.skipIf(process.platform !== 'linux')('several serving processes', { timeout: 300_000 }, () => {
  it('answer on one port, count together, and outlive each other without losing what was acknowledged', async () => {
    const up = start(2);
    const url = await up.url();
    await putIntoProduction(url);
    const pids = await servingProcesses(up);
    expect(pids).toHaveLength(2);

    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await predict(url, 'before'));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('perennial_predictions_total{model="churn",version="1"} 10');
    expect(metrics).toMatch(/request_duration_seconds_count\{.*predict",status="200"\} 10\n/);

    process.kill(pids[0]!, 'SIGKILL');
    await vi.waitFor(async () => expect(await servingProcesses(up)).toHaveLength(2), 60_000);
    await vi.waitFor(async () => expect((await idsOf(url, 'before')).toSorted()).toEqual(ids.toSorted()), {
      timeout: 60_000,
      interval: 200,
    });
    expect((await servingProcesses(up)).includes(pids[0]!)).toBe(false);

    const all = await up.children();
    up.signal('SIGTERM');
    expect(await up.ended).toBe(0);
    expect(all.filter(lives)).toEqual([]);
  });

  it('leave nothing in their journals that a single one does not ship', async () => {
    const first = start(2);
    const url = await first.url();
    await putIntoProduction(url);
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push(await predict(url, 'left'));
    // The database ends with the first process; what is not shipped by then stays in two journals.
    first.signal('SIGKILL');
    await first.ended;
    const second = start(1);
    const there = await second.url();
    await vi.waitFor(async () => expect((await idsOf(there, 'left')).toSorted()).toEqual(ids.toSorted()), {
      timeout: 60_000,
      interval: 200,
    });
  });
});
