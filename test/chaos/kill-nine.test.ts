import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiError, ConnectionError, UnexpectedAnswerError, everyItem, type Client } from '@perennial/client';
import { Acknowledged } from '../harness/acknowledged.ts';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { runToEnd, scratchFolder, writeFiles } from '../harness/test-platform.ts';
import { VictimProcess } from '../harness/victim-process.ts';
import { makeVisits, toCsv, type Visit } from '../harness/visits.ts';

/**
 * The whole platform, embedded PostgreSQL and training child included, is killed with SIGKILL again and again while it runs the pipeline, answers and takes
 * facts. `PERENNIAL_TEST_KILLS` says how often; 50 in `npm run chaos`.
 */
const KILLS = Number(process.env['PERENNIAL_TEST_KILLS'] ?? 5);
/**
 * A kill falls somewhere in this many days after the platform answers, by what the first day took: run, predictions, facts. On a machine that is busy with something else, lives
 * of a fixed length would end before anything is done, and a run is given up after twenty of them.
 */
const LONGEST_LIFE_DAYS = 2;
const MODEL = 'visits';
const FIRST_DAY = '2024-03-11';

let folder: string;
let remove: () => Promise<void>;
let environment: Record<string, string>;

beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
  const visits = makeVisits({ from: '2024-03-01', days: 60, perDay: 200 });
  await writeFiles(folder, {
    'pipelines/visits.csv': toCsv(visits),
    'pipelines/visits/pipeline.ts': pipelineSource({ name: MODEL }),
  });
  environment = {
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_LOG_LEVEL: 'error',
    DATABASE_URL: '',
  };
});
afterAll(() => remove());

const dayAfter = (day: string) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
const visitsOf = (day: string): Visit[] =>
  makeVisits({ from: day, days: 1, perDay: 200, seed: Date.parse(day) / 86_400_000 }).map((visit) => ({
    ...visit,
    visitor: `${day}/${visit.visitor}`,
  }));

interface World {
  day: string;
  acknowledged: Acknowledged;
}

/** Replays days until the platform is gone. */
async function live(platform: VictimProcess, world: World): Promise<void> {
  for (;;) {
    await replayDay(platform, world);
    world.day = dayAfter(world.day);
  }
}

async function replayDay(platform: VictimProcess, { day, acknowledged }: World): Promise<void> {
  await platform.setClock(`${day}T03:00:00Z`);
  await runDay(platform.client, day);
  await acknowledged.replay(platform.client, visitsOf(day), MODEL);
}

/** Replays the first day before any kill that counts. Gives the milliseconds that it took. */
async function firstDay(world: World): Promise<number> {
  const platform = await VictimProcess.start(environment);
  const started = performance.now();
  await replayDay(platform, world);
  const milliseconds = performance.now() - started;
  await platform.kill();
  return milliseconds;
}

/** Starts the day's run, or takes up the one that an earlier life began. */
async function runDay(client: Client, day: string): Promise<void> {
  const asOf = `${day}T00:00:00.000Z`;
  const { items } = await client.listRuns({ query: { pipeline: MODEL, limit: 5 } });
  const begun = items.find((run) => run.asOf === asOf);
  const { id } = begun ?? (await client.startRun({ params: { pipeline: MODEL }, body: { asOf } }));
  const ended = await runToEnd(client, id);
  expect(ended).toMatchObject({ state: 'succeeded', error: null });
}

/** What a client sees of a platform that dies under it. */
function isDeath(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof UnexpectedAnswerError || isBrokenStream(error);
}

function isBrokenStream(error: unknown): boolean {
  return (
    error instanceof Error &&
    !(error instanceof ApiError) &&
    /terminated|ended before|abort|fetch failed/i.test(error.message)
  );
}

/** Every version has its card, evaluation and release; every run that ended well has its version, and no other has one. */
async function checkVersions(client: Client): Promise<void> {
  const runs = [];
  for await (const run of everyItem((cursor) => client.listRuns({ query: { pipeline: MODEL, cursor } })))
    runs.push(run);
  const finished = runs.filter((run) => run.state === 'succeeded').map((run) => run.version);
  const model = await client.getModel({ params: { model: MODEL } });
  const versions: number[] = [];
  for await (const { version } of everyItem((cursor) =>
    client.listVersions({ params: { model: MODEL }, query: { cursor } }),
  )) {
    const { card, lineage } = await client.getVersion({ params: { model: MODEL, version } });
    expect(card.version).toBe(version);
    const made = lineage.kind === 'run' ? lineage.run : null;
    expect(runs.find((run) => run.id === made)).toMatchObject({ state: 'succeeded', version });
    versions.push(version);
  }
  expect(versions).toEqual(Array.from({ length: model.latestVersion }, (_, i) => model.latestVersion - i));
  expect([...finished].sort()).toEqual([...versions].sort());
  const { items: releases } = await client.listReleases({ query: { model: MODEL, limit: 500 } });
  expect(releases.filter((release) => release.state === 'live').map((release) => release.version)).toEqual([
    model.championVersion,
  ]);
}

/** Everything that was acknowledged is there, once. */
async function checkRecords(client: Client, { acknowledged, day }: World): Promise<void> {
  const counts = await Acknowledged.onRecord(client, MODEL);
  const lost = [...acknowledged.predictions.values()].filter((id) => !counts.has(id));
  const doubled = [...counts].filter(([, count]) => count > 1);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  const { days } = await client.getMonitoring({
    params: { model: MODEL },
    query: { from: FIRST_DAY, to: day },
  });
  const labelled = days.reduce((sum, each) => sum + each.labelled, 0);
  expect(labelled).toBeGreaterThanOrEqual(acknowledged.truths.size);
  expect(labelled).toBeLessThanOrEqual(acknowledged.predictions.size);
}

it(
  `survives ${KILLS} kills at random moments: nothing acknowledged is lost or doubled, no half-made version is visible`,
  async () => {
    const world: World = { day: FIRST_DAY, acknowledged: new Acknowledged() };
    const longestLife = LONGEST_LIFE_DAYS * (await firstDay(world));
    for (let life = 0; life < KILLS; life++) {
      const platform = await VictimProcess.start(environment);
      const death = new Promise((resolve) => setTimeout(resolve, Math.random() * longestLife)).then(() =>
        platform.kill(),
      );
      await live(platform, world).catch((error: unknown) => {
        if (!isDeath(error)) throw error;
      });
      await death;
    }
    const platform = await VictimProcess.start(environment);
    try {
      await replayDay(platform, world);
      await checkRecords(platform.client, world);
      await checkVersions(platform.client);
      expect(world.acknowledged.truths.size).toBeGreaterThanOrEqual(200);
    } finally {
      await platform.stop();
    }
  },
  30_000 + KILLS * 20_000,
);
