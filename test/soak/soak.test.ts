import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Client } from '@perennial/client';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { SoakTraffic } from '../harness/soak-traffic.ts';
import { runToEnd, scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { UpProcess, type Resources } from '../harness/up-process.ts';
import { makeVisits, toCsv } from '../harness/visits.ts';

/**
 * `perennial up` with its own database under all its traffic at once, while it retrains without a pause: nothing fails, everything that was acknowledged is on record, and
 * nothing grows. The long form is `npm run soak`; `PERENNIAL_SOAK_SECONDS` says how long it takes.
 */
const SECONDS = Number(process.env['PERENNIAL_SOAK_SECONDS'] ?? 10);
/** Fewer seconds tell nothing of what grows: code is still being compiled, pools and caches still fill. */
const TELLING_SECONDS = 120;
const MODEL = 'visits';
const VISITS = makeVisits({ from: '2024-03-01', days: 14, perDay: 200 });
/** The last days of the visits, one after another: each has its own window. */
const DAYS = ['2024-03-11', '2024-03-12', '2024-03-13', '2024-03-14'];

let folder: string;
let remove: () => Promise<void>;
let up: UpProcess;
let client: Client;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, {
    'pipelines/visits.csv': toCsv(VISITS),
    'pipelines/visits/pipeline.ts': pipelineSource({ name: MODEL }),
  });
  up = new UpProcess('--home', join(folder, 'home'), '--pipelines', join(folder, 'pipelines'));
  client = createClient({ baseUrl: await up.url() });
  await retrain(0);
}, 120_000);
afterAll(async () => {
  up.signal('SIGTERM');
  await up.ended;
  await remove();
}, 60_000);

async function retrain(round: number): Promise<void> {
  const asOf = `${DAYS[round % DAYS.length]}T00:00:00Z`;
  const { id } = await client.startRun({ params: { pipeline: MODEL }, body: { asOf, force: true } });
  expect(await runToEnd(client, id)).toMatchObject({ state: 'succeeded' });
}

/** Retrains until the time is over; what the process took after each run. */
async function retrainOnAndOn(): Promise<Resources[]> {
  const samples: Resources[] = [];
  const end = Date.now() + SECONDS * 1_000;
  for (let round = 1; Date.now() < end; round++) {
    await retrain(round);
    samples.push(await up.resources());
  }
  return samples;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;

/** The median of the second quarter and of the last one. */
function quarters(samples: readonly Resources[], name: keyof Resources): { early: number; late: number } {
  const numbers = samples.map((sample) => sample[name]);
  const quarter = Math.floor(numbers.length / 4);
  return { early: median(numbers.slice(quarter, 2 * quarter)), late: median(numbers.slice(-quarter)) };
}

/** Predictions and facts that the live report counts, over the days that the test has touched. */
async function counted(from: string): Promise<{ predictions: number; facts: number }> {
  const to = new Date().toISOString().slice(0, 10);
  const { days } = await client.getMonitoring({ params: { model: MODEL }, query: { from, to } });
  return {
    predictions: days.reduce((sum, day) => sum + day.predictions, 0),
    facts: days.reduce((sum, day) => sum + day.labelled, 0),
  };
}

describe.skipIf(process.platform !== 'linux')('a platform under all its traffic', () => {
  it(
    `works for ${SECONDS} s without a failure, a loss or a leak`,
    async () => {
      const from = new Date().toISOString().slice(0, 10);
      const traffic = new SoakTraffic({ client, model: MODEL, visits: VISITS });
      traffic.start();
      const samples = await retrainOnAndOn();
      await traffic.stop();
      const { predictions, facts, refused, failures } = traffic;
      expect(failures).toEqual([]);
      await waitUntilShipped();
      expect(await counted(from)).toEqual({ predictions, facts });
      expect(await readdir(join(folder, 'home', 'work'))).toEqual([]);
      console.log(
        `${SECONDS} s: ${samples.length} runs, ${predictions} predictions, ${facts} facts, ${refused} requests refused or broken off; last taken: ${JSON.stringify(samples.at(-1))}`,
      );
      if (SECONDS >= TELLING_SECONDS) checkGrowth(samples);
    },
    SECONDS * 1_000 + 120_000,
  );
});

function checkGrowth(samples: readonly Resources[]): void {
  const grown = (['residentBytes', 'threads', 'openFiles', 'children'] as const).map(
    (name) => [name, quarters(samples, name)] as const,
  );
  console.log('medians of the second and the last quarter:', JSON.stringify(Object.fromEntries(grown)));
  const found = Object.fromEntries(grown);
  expect(found.residentBytes!.late).toBeLessThan(found.residentBytes!.early * 1.1 + 20_000_000);
  expect(found.threads!.late).toBeLessThanOrEqual(found.threads!.early + 1);
  expect(found.openFiles!.late).toBeLessThanOrEqual(found.openFiles!.early + 8);
  expect(found.children!.late).toBeLessThanOrEqual(found.children!.early + 2);
}

async function waitUntilShipped(): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(new URL('/metrics', client.baseUrl))).text();
    if (/^perennial_shipper_waiting_records 0$/m.test(metrics)) return;
    await sleep(100);
  }
}
