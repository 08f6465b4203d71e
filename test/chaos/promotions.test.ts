import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ReleaseBench } from '@perennial/registry/testing';
import { openDatabase, verifyAudit, type Database } from '@perennial/storage';
import { PromotingProcess } from '../harness/promoting-process.ts';
import { PROMOTED_MODEL, changeChampion } from '../harness/promotions.ts';

/** How many changes of the champion, 1,000 in `npm run chaos`; at once as many as there are connections for. */
const CHANGES = 20 * Number(process.env['PERENNIAL_TEST_KILLS'] ?? 10);
const AT_ONCE = 8;
const VERSIONS = 12;
/**
 * How often a process is killed in the middle of promotions: five times for each kill of a whole platform that `PERENNIAL_TEST_KILLS` asks for, since
 * these processes are small. 100 in `npm run chaos`.
 */
const KILLS = 5 * Number(process.env['PERENNIAL_TEST_KILLS'] ?? 2);
/** A kill falls somewhere in this time, which is that of a few promotions. */
const LONGEST_LIFE_MILLISECONDS = 300;

let bench: ReleaseBench;
beforeEach(async () => {
  bench = await ReleaseBench.open({ maxConnections: AT_ONCE });
  await bench.champions(VERSIONS);
});
afterEach(() => bench.close());

interface Sight {
  aliases: number[];
  live: number[];
}

/** What is in production at one instant: one statement sees one instant. */
async function look({ sql }: Pick<Database, 'sql'>): Promise<Sight> {
  const [sight] = await sql<Sight[]>`
    select
      (select coalesce(array_agg(version), '{}') from aliases where model = ${PROMOTED_MODEL} and alias = 'champion') as aliases,
      (select coalesce(array_agg(version), '{}') from releases where model = ${PROMOTED_MODEL} and state = 'live') as live`;
  return sight!;
}

const isWhole = ({ aliases, live }: Sight) =>
  aliases.length === 1 && live.length === 1 && aliases[0] === live[0];

/** Between two looks; without it the watcher takes more of the processor than those it watches. */
const PAUSE_MILLISECONDS = 3;

/** Looks, on a connection of its own, until it is told to stop. */
class Watcher {
  readonly broken: Sight[] = [];
  readonly champions = new Set<number>();
  #stopped = false;
  readonly #watching: Promise<void>;

  constructor(database: Database) {
    this.#watching = this.#watch(database);
  }

  async #watch(database: Database): Promise<void> {
    while (!this.#stopped) {
      const sight = await look(database);
      sight.aliases.forEach((version) => this.champions.add(version));
      if (!isWhole(sight)) this.broken.push(sight);
      await setTimeout(PAUSE_MILLISECONDS);
    }
    await database.close();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
  }
}

async function watch(): Promise<Watcher> {
  return new Watcher(await openDatabase({ ...bench.address, maxConnections: 1 }));
}

/** The rows that the history tells of, and those that are there. */
async function checkHistory({ sql }: Database): Promise<void> {
  const replayedAliases = await sql`
    select distinct on (model, alias) model, alias, version, revision, at as updated_at
    from alias_moves order by model, alias, revision desc`;
  expect(
    await sql`select model, alias, version, revision, updated_at from aliases order by model, alias`,
  ).toEqual(replayedAliases);
  const gaps = await sql`
    select model, alias from alias_moves group by model, alias having max(revision) <> count(*)`;
  expect(gaps).toEqual([]);
  const broken = await sql`
    select revision from (
      select revision, previous_version, lag(version) over (partition by model, alias order by revision) as before
      from alias_moves) moves
    where previous_version is distinct from before`;
  expect(broken).toEqual([]);
  const replayedReleases = await sql`
    select distinct on (release_id) release_id as id, state, by as decided_by, reason, at as updated_at, sequence as last_sequence
    from release_events order by release_id, sequence desc`;
  const releases = await sql`
    select id, state, coalesce(decided_by, requested_by) as decided_by, reason, updated_at, last_sequence
    from releases order by id`;
  expect(releases).toEqual(replayedReleases);
  expect(await verifyAudit({ sql })).toMatchObject({ valid: true, firstProblem: null });
}

it(`has one champion at every instant of ${CHANGES} promotions and rollbacks, ${AT_ONCE} at once, and a history that replays to it`, async () => {
  const watcher = await watch();
  let changed = 0;
  const change = async (): Promise<void> => {
    while (changed < CHANGES) if (await changeChampion(bench.desk, VERSIONS)) changed += 1;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, change));
  await watcher.stop();
  expect(watcher.broken).toEqual([]);
  expect(watcher.champions.size).toBeGreaterThan(1);
  const [{ moves } = { moves: 0 }] = await bench.database.sql<{ moves: number }[]>`
    select count(*)::int as moves from alias_moves`;
  expect(moves).toBe(VERSIONS + changed);
  await checkHistory(bench.database);
}, 120_000);

it(
  `has one champion through ${KILLS} kills of processes in the middle of promotions`,
  async () => {
    const watcher = await watch();
    const task = { address: bench.address, pem: bench.signing.pem, versions: VERSIONS };
    const survivor = await PromotingProcess.start(task);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = await PromotingProcess.start(task);
      await setTimeout(Math.random() * LONGEST_LIFE_MILLISECONDS);
      await victim.kill();
      expect(await look(bench.database)).toSatisfy(isWhole);
    }
    const before = survivor.changes;
    await expect.poll(() => survivor.changes, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(survivor.alive).toBe(true);
    await survivor.kill();
    await watcher.stop();
    expect(watcher.broken).toEqual([]);
    expect(watcher.champions.size).toBeGreaterThan(1);
    await checkHistory(bench.database);
  },
  60_000 + KILLS * 10_000,
);
