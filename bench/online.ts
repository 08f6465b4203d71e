import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLoad } from './load/run-load.ts';
import type { LoadResult } from './load/load.ts';
import { PEERS, installedVersions, pythonEnvironment } from './peers/environment.ts';
import { instanceBody } from './peers/peer.ts';
import { FASTAPI, OTHERS, STARLETTE, sampleRow } from './peers/peers.ts';
import { startPeer, type RunningPeer } from './peers/run-peer.ts';
import { serveNetwork, startPlatform, type RunningPlatform } from './serving/platform.ts';
import { alternate, median, milliseconds, perSecond, ratio, verdict } from './serving/rounds.ts';

/**
 * Online predictions, one row of 20 numbers through a network of 32 and 16, asked over HTTP from a process of its own on the same cores: the real server with tokens, validation,
 * metrics and every prediction on record, against FastAPI and Starlette on the same file, which log nothing, and against the servers that others come from.
 *
 *     node bench/dist/online.js [--rounds 3] [--seconds 4] [--without-others]
 */
const ROUNDS = Number(option('rounds') ?? 3);
const SECONDS = Number(option('seconds') ?? 4);
const MODEL = 'bench';
const ROW = sampleRow(1);

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? undefined : process.argv[at + 1];
}

interface Target {
  url: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

const ours = ({ url, headers }: RunningPlatform): Target => ({
  url,
  headers,
  path: `/v1/models/${MODEL}/predict`,
  body: instanceBody(ROW),
});

const theirs = ({ url, peer }: RunningPeer): Target => ({
  url,
  path: peer.path,
  headers: { 'content-type': 'application/json' },
  body: peer.body(ROW),
});

function load(
  target: Target,
  how: { connections: number; rate?: number; seconds?: number },
): Promise<LoadResult> {
  const { seconds = SECONDS, ...rest } = how;
  return runLoad({ ...target, ...rest, durationSeconds: seconds, warmupSeconds: 1 });
}

/** Answers a second in a closed loop; an answer that is no success is none. */
async function throughput(target: Target, connections: number): Promise<number> {
  const { goodPerSecond, errors } = await load(target, { connections });
  if (Object.keys(errors).length > 0) console.log(`  errors at ${target.path}:`, errors);
  return goodPerSecond;
}

interface Servers {
  disk: Target;
  none: Target;
  fastapi: Target;
  starlette: Target;
}

async function compareThroughput(servers: Servers): Promise<void> {
  for (const connections of [32, 128]) {
    const found = await alternate(ROUNDS, {
      disk: () => throughput(servers.disk, connections),
      fastapi: () => throughput(servers.fastapi, connections),
      none: () => throughput(servers.none, connections),
      starlette: () => throughput(servers.starlette, connections),
    });
    console.log(`\n${connections} connections, answers a second, median of ${ROUNDS} (each: ${SECONDS} s)`);
    for (const [name, values] of Object.entries(found))
      console.log(
        `  ${name.padEnd(10)} ${perSecond(median(values)).padStart(10)}   ${values.map(Math.round).join(' ')}`,
      );
    const against = (a: keyof typeof found, b: keyof typeof found) => median(found[a]) / median(found[b]);
    verdict(`disk against FastAPI, ${connections} connections`, against('disk', 'fastapi'), {
      atLeast: connections === 32 ? 3.5 : 5,
    });
    verdict(`none against FastAPI, ${connections} connections`, against('none', 'fastapi'), { atLeast: 7 });
    verdict(`none against Starlette, ${connections} connections`, against('none', 'starlette'), {
      atLeast: 2.5,
    });
  }
}

/** At half of capacity every request is due at its own moment; at twice the capacity what cannot be served must be told so quickly. */
async function tailAndOverload(target: Target): Promise<void> {
  const capacity = median([
    await throughput(target, 128),
    await throughput(target, 128),
    await throughput(target, 128),
  ]);
  console.log(`\ncapacity: ${perSecond(capacity)} (durability disk, 128 connections)`);
  const halves = [];
  for (let round = 0; round < ROUNDS; round++)
    halves.push(await load(target, { connections: 128, rate: capacity / 2, seconds: SECONDS * 2 }));
  for (const half of halves)
    console.log(
      `  half of it, open loop: p50 ${milliseconds(half.p50)}, p99 ${milliseconds(half.p99)}, p99.9 ${milliseconds(half.p999)}, max ${milliseconds(half.max)}, sent late p99 ${milliseconds(half.lateP99)}`,
    );
  verdict('p99 at half of capacity, ms', median(halves.map(({ p99 }) => p99)), { atMost: 3 });
  const over = await load(target, { connections: 1_000, rate: capacity * 2, seconds: SECONDS * 2 });
  console.log(`  twice: ${perSecond(over.goodPerSecond)} served`, over.byStatus);
  verdict('served at twice the capacity, share of capacity', over.goodPerSecond / capacity, { atLeast: 0.9 });
  const refusedAfter = Math.max(0, ...['429', '503'].map((status) => over.byStatus[status]?.p99 ?? 0));
  verdict('p99 of refusals, ms', refusedAfter, { atMost: 50 });
}

async function others(disk: Target, place: { model: string; folder: string }): Promise<void> {
  console.log('\nServers that others come from, 32 connections, beside ours with durability disk');
  for (const [i, peer] of OTHERS.entries()) {
    const environment = peer.packages[0] === 'nvidia-pytriton' ? 'pytriton' : (peer.packages[0] as string);
    const folder = join(place.folder, environment);
    const running = await startPeer(peer, { environment, model: place.model, port: 18_500 + i * 10, folder });
    if (running === null) continue;
    try {
      const found = await alternate(2, {
        disk: () => throughput(disk, 32),
        peer: () => throughput(theirs(running), 32),
      });
      const [us, them] = [median(found.disk), median(found.peer)];
      console.log(
        `  ${peer.name.padEnd(20)} ${perSecond(them).padStart(10)}   ours ${perSecond(us)}: ${ratio(us / them)}`,
      );
    } finally {
      await running.stop();
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const model = join(folder, 'network.onnx');
const programs = await pythonEnvironment('python', FASTAPI.packages);
if (programs === null) {
  console.log('online: skipped, since there is no Python to run the peers with');
} else {
  console.log(await installedVersions(programs, FASTAPI.packages));
  execFileSync(join(programs, 'python'), [join(PEERS, 'network.py'), model]);
  const disk = await startPlatform({
    folder: join(folder, 'disk'),
    variables: { PERENNIAL_DURABILITY: 'disk' },
  });
  const none = await startPlatform({
    folder: join(folder, 'none'),
    variables: { PERENNIAL_DURABILITY: 'none' },
  });
  await serveNetwork(disk, MODEL, model);
  await serveNetwork(none, MODEL, model);
  const start = { environment: 'python', model, folder };
  const fastapi = await startPeer(FASTAPI, { ...start, port: 18_400 });
  const starlette = await startPeer(STARLETTE, { ...start, port: 18_410 });
  if (fastapi && starlette) {
    await compareThroughput({
      disk: ours(disk),
      none: ours(none),
      fastapi: theirs(fastapi),
      starlette: theirs(starlette),
    });
  }
  await fastapi?.stop();
  await starlette?.stop();
  await none.stop();
  await tailAndOverload(ours(disk));
  if (!process.argv.includes('--without-others')) await others(ours(disk), { model, folder });
  await disk.stop();
}
await rm(folder, { recursive: true, force: true });
