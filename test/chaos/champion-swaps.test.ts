import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { IdGenerator, systemClock, type PredictResponse } from '@perennial/contract';
import type { ReleaseDesk } from '@perennial/registry';
import { testSigning } from '@perennial/registry/testing';
import { createLogger, loadConfig, startPlatform, type Platform } from '@perennial/server';
import { FileArtifactStore, socketUrl } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { promote, registerAddingVersions } from '../harness/adding-models.ts';
import { scratchFolder } from '../harness/test-platform.ts';

/** Twenty for each kill that `PERENNIAL_TEST_KILLS` asks for: 1,000 in `npm run chaos` with 50. */
const PROMOTIONS = 20 * Number(process.env['PERENNIAL_TEST_KILLS'] ?? 2);
const VERSIONS = 20;
const MODEL = 'adding';
const REPLICAS = 2;
/** Requests that are always under way, at each replica. */
const CONNECTIONS = 4;
/**
 * Until when a promotion must be seen everywhere. A second is what is promised, of a machine that has nothing else to do; a lost announcement would be made up for
 * by the poll, after 15 s, and that is what the short form looks for.
 */
const SEEN_MILLISECONDS = process.env['PERENNIAL_TEST_KILLS'] === undefined ? 10_000 : 1_000;

/** Then it is given up. */
const LONGEST_MILLISECONDS = 60_000;

let database: TestDatabase;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let replicas: Platform[];
let desk: ReleaseDesk;
beforeEach(async () => {
  database = await createTestDatabase();
  scratch = await scratchFolder();
  const { folder } = scratch;
  const signing = testSigning();
  await mkdir(join(folder, 'pipelines'));
  await writeFile(join(folder, 'signing.pem'), signing.pem, { mode: 0o600 });
  desk = {
    database: database.database,
    clock: systemClock,
    ids: new IdGenerator(systemClock),
    signer: signing.signer,
  };
  replicas = [];
  for (let replica = 1; replica <= REPLICAS; replica += 1) replicas.push(await startReplica(replica));
  const artifacts = await FileArtifactStore.open({ folder: join(folder, 'artifacts') });
  await registerAddingVersions(desk, artifacts, { model: MODEL, count: VERSIONS });
});
afterEach(async () => {
  for (const replica of replicas) await replica.close();
  await database.drop();
  await scratch.remove();
});

/** A server of its own folder, on the database, artifacts and key that all share. */
function startReplica(replica: number): Promise<Platform> {
  const { folder } = scratch;
  const { address } = database;
  const config = loadConfig(
    {
      PERENNIAL_HOME: join(folder, `home-${replica}`),
      PERENNIAL_PIPELINES: join(folder, 'pipelines'),
      PERENNIAL_PORT: '0',
      PERENNIAL_ROLES: 'server',
      PERENNIAL_DURABILITY: 'none',
      PERENNIAL_SIGNING_KEY: join(folder, 'signing.pem'),
      PERENNIAL_REQUESTS_PER_MINUTE: '1000000000',
      DATABASE_URL: 'url' in address ? address.url : socketUrl(address.connection),
    },
    {},
  );
  return startPlatform({
    config: { ...config, artifacts: { kind: 'folder', folder: join(folder, 'artifacts') } },
    logger: createLogger('silent'),
  });
}

/** What one replica answered since the last promotion, and whatever was wrong. */
class Load {
  latest = 0;
  answers = 0;
  readonly wrong: string[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(readonly url: string) {
    this.#running = Promise.all(Array.from({ length: CONNECTIONS }, () => this.#ask()));
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      const x = this.answers;
      const response = await fetch(`${this.url}/v1/models/${MODEL}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ instances: [{ x }] }),
      });
      this.answers += 1;
      if (response.ok) this.#check(x, (await response.json()) as PredictResponse);
      else this.wrong.push(`${response.status} ${await response.text()}`);
    }
  }

  #check(x: number, { version, predictions: [first] }: PredictResponse): void {
    this.latest = version;
    const output = first?.output;
    const value = output && 'value' in output ? output.value : NaN;
    if (value !== x + version) this.wrong.push(`version ${version} answered ${value} to ${x}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** How long it took until every replica answered with the version, in milliseconds. */
async function seenAfter(loads: readonly Load[], version: number): Promise<number> {
  const started = performance.now();
  while (loads.some(({ latest }) => latest !== version)) {
    if (performance.now() - started > LONGEST_MILLISECONDS)
      throw new Error(`Version ${version} was not seen.`);
    await setTimeout(1);
  }
  return performance.now() - started;
}

/** Promotes one version after another; how long each took to be seen everywhere, in milliseconds. */
async function promoteAll(loads: readonly Load[]): Promise<number[]> {
  const delays = [await seenAfter(loads, 1)];
  for (let promotion = 1; promotion < PROMOTIONS; promotion += 1) {
    const version = 1 + (promotion % VERSIONS);
    await promote(desk, MODEL, version);
    delays.push(await seenAfter(loads, version));
  }
  return delays;
}

it(
  `${PROMOTIONS} promotions under load fail no request, label no answer wrongly, and are seen by every replica`,
  async () => {
    await promote(desk, MODEL, 1);
    const loads = replicas.map(({ url }) => new Load(url));
    const delays = await promoteAll(loads).finally(() => Promise.all(loads.map((load) => load.stop())));
    delays.sort((a, b) => a - b);
    console.log(
      `${PROMOTIONS} promotions, ${loads.map(({ answers }) => answers).join(' + ')} answers; seen everywhere after ${delays[delays.length >> 1]?.toFixed(0)} ms (median), ${delays.at(-1)?.toFixed(0)} ms (longest)`,
    );
    expect(loads.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(delays.at(-1)).toBeLessThan(SEEN_MILLISECONDS);
  },
  60_000 + PROMOTIONS * 2_000,
);
