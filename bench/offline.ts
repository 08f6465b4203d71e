import { Agent, request } from 'node:http';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createClient, type Client } from '@perennial/client';
import { CHAMPION, type Precomputation } from '@perennial/contract';
import { readSignature, writeArtifact } from '@perennial/onnx';
import { signVersion, testSigning, type TestSigning } from '@perennial/registry/testing';
import { createLogger, loadConfig, startPlatform } from '@perennial/server';
import {
  FileArtifactStore,
  insertModelVersion,
  moveAlias,
  openDatabase,
  saveEndpoint,
  startEmbeddedPostgres,
  takeVersionNumber,
  transaction,
  type Database,
} from '@perennial/storage';

/**
 * An answer that was computed before, against the same answer computed when it is asked for: one row of 20 numbers, network [32, 16], through the real server with authorisation and metrics,
 * on record before it is given (durability `disk`), from 32 connections in a thread of their own, in turn. Then lookups of 1,000 keys, and how fast the table is computed.
 */
const SHORT = process.argv.includes('--short');
const ENTITIES = SHORT ? 20_000 : 200_000;
const SECONDS = SHORT ? 1 : 5;
const ROUNDS = SHORT ? 2 : 5;
const CONNECTIONS = 32;
const LEAST_REQUESTS = 200;
const MODEL = 'sums';
const WIDTHS = [20, 32, 16, 1];
const COLUMNS = Array.from({ length: 20 }, (_, i) => `x${i}`);

/** One kind of request, over and over. */
interface Load {
  url: string;
  kind: 'predict' | 'lookup' | 'lookups';
  connections: number;
}

interface Measured {
  perSecond: number;
  p50: number;
  p99: number;
}

function artifact(): Uint8Array {
  const layers = WIDTHS.slice(1).map((width, index) => {
    const inputs = WIDTHS[index] ?? 1;
    const data = Float32Array.from({ length: inputs * width }, (_, i) => Math.sin(i + index) / inputs);
    return {
      name: `layer${index}`,
      inputs: [index === 0 ? 'dense' : `layer${index - 1}`],
      kind: 'dense' as const,
      kernel: { shape: [inputs, width] as [number, number], data },
      bias: { shape: [width] as [number], data: new Float32Array(width) },
      activation: index < WIDTHS.length - 2 ? ('relu' as const) : ('linear' as const),
    };
  });
  return writeArtifact({
    encoder: {
      columns: COLUMNS.map((name) => ({ name, type: 'number' as const })),
      features: COLUMNS.map((name) => ({
        kind: 'numeric' as const,
        name,
        column: name,
        impute: 0,
        missingIndicator: false,
        clip: {},
        log: false,
        center: 0,
        scale: 1,
      })),
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: 20 }],
      layers,
      output: `layer${layers.length - 1}`,
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
}

/** Puts a champion on record, and the entities that are known. */
async function fill(
  database: Database,
  { artifacts, signing }: { artifacts: FileArtifactStore; signing: TestSigning },
): Promise<void> {
  const bytes = artifact();
  const { digest } = await artifacts.put(bytes);
  const at = new Date();
  const version = await transaction(database, async (tx) => {
    const number = await takeVersionNumber(tx, MODEL, at);
    await insertModelVersion(tx, {
      model: MODEL,
      version: number,
      runId: null,
      artifactDigest: digest,
      artifactBytes: bytes.length,
      datasetDigest: null,
      signature: readSignature(bytes),
      lineage: { kind: 'imported', by: 'bench', producer: '', note: '', platformVersion: '0.0.0' } as never,
      gate: null,
      card: {} as never,
      asOf: at,
      createdAt: at,
    });
    return number;
  });
  await signVersion(database, { model: MODEL, version }, signing);
  const serving = { modes: ['online' as const, 'offline' as const] };
  await saveEndpoint(database.orm, { name: MODEL, serving, source: 'operator', at, by: 'bench' });
  const move = { alias: CHAMPION, expectedRevision: 0, releaseId: null, by: 'bench', reason: 'bench' };
  await moveAlias(database.orm, { ...move, model: MODEL, version, at });
  await database.sql`
    insert into entity_features (model, key, features, at, dataset)
    select ${MODEL}, 'k' || n, (select jsonb_object_agg('x' || i, sin(n * i)) from generate_series(0, 19) i), now(), 'bench'
    from generate_series(0, ${ENTITIES - 1}) n`;
}

async function precompute(client: Client): Promise<Precomputation & { seconds: number }> {
  const started = performance.now();
  const asked = await client.startPrecomputation({ params: { model: MODEL }, body: {} });
  const params = { model: MODEL, precomputation: asked.id };
  for (;;) {
    const now = await client.getPrecomputation({ params });
    if (now.state === 'live') return { ...now, seconds: (performance.now() - started) / 1_000 };
    if (now.state !== 'queued' && now.state !== 'running') throw new Error(JSON.stringify(now));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function measure(load: Load): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: load, argv: process.argv.slice(2) });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function compare(url: string): Promise<void> {
  const rounds: { predict: Measured; lookup: Measured }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const predict = await measure({ url, kind: 'predict', connections: CONNECTIONS });
    const lookup = await measure({ url, kind: 'lookup', connections: CONNECTIONS });
    rounds.push({ predict, lookup });
    console.log(
      `round ${round + 1}: online ${line(predict)}; lookup ${line(lookup)}; ratio of the medians ${(lookup.p50 / predict.p50).toFixed(2)}`,
    );
  }
  const ratio = median(rounds.map(({ predict, lookup }) => lookup.p50 / predict.p50));
  console.log(`a lookup takes ${ratio.toFixed(2)} of an online prediction's time (limit 1.00)`);
  if (!(ratio <= 1)) process.exitCode = 1;
  const many = await measure({ url, kind: 'lookups', connections: 4 });
  const keys = Math.round(many.perSecond * 1_000);
  console.log(`1,000 keys at once, 4 connections: ${line(many)}, ${keys.toLocaleString('en')} keys a second`);
}

function line({ perSecond, p50, p99 }: Measured): string {
  return `${Math.round(perSecond).toLocaleString('en')} requests a second, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-offline-'));
  await chmod(folder, 0o711);
  const signing = testSigning();
  const keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, signing.pem, { mode: 0o600 });
  await mkdir(join(folder, 'pipelines'));
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
  const config = loadConfig({
    PERENNIAL_HOME: join(folder, 'home'),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_PORT: '0',
    PERENNIAL_SIGNING_KEY: keyFile,
    PERENNIAL_WORKER_CONCURRENCY: '2',
  });
  const { port, user, database: name, folder: socket } = server.connection;
  const url = `postgres://${user}@localhost:${port}/${name}?host=${encodeURIComponent(socket)}`;
  const platform = await startPlatform({
    config: { ...config, database: { kind: 'url', url } },
    logger: createLogger('silent'),
  });
  const database = await openDatabase({ connection: server.connection });
  try {
    if (config.artifacts.kind !== 'folder') throw new Error('The bench keeps its artifacts in a folder.');
    const artifacts = await FileArtifactStore.open({ folder: config.artifacts.folder });
    await fill(database, { artifacts, signing });
    const { done, seconds } = await precompute(createClient({ baseUrl: platform.url }));
    console.log(
      `${done.toLocaleString('en')} entities precomputed in ${seconds.toFixed(1)} s: ${Math.round(done / seconds).toLocaleString('en')} a second`,
    );
    await compare(platform.url);
  } finally {
    await platform.close();
    await database.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The load, in a thread of its own: closed loops, one for each connection. */
async function load({ url, kind, connections }: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const warm = performance.now() + 300;
  const end = warm + SECONDS * 1_000;
  const times: number[] = [];
  const loops = Array.from({ length: connections }, async (_, loop) => {
    // On a machine that is busy with something else the time may be up before anything was answered.
    for (let i = loop; performance.now() < end || times.length < LEAST_REQUESTS; i += connections) {
      const started = performance.now();
      await send(agent, url, requestOf(kind, i));
      if (started >= warm) times.push(performance.now() - started);
    }
  });
  await Promise.all(loops);
  agent.destroy();
  const seconds = (performance.now() - warm) / 1_000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}

interface Sent {
  method: string;
  path: string;
  body?: string;
}

/** Of 10,000 entities, as often asked for as each other. */
function requestOf(kind: Load['kind'], i: number): Sent {
  const entity = (i * 7_919) % 10_000;
  switch (kind) {
    case 'lookup':
      return { method: 'GET', path: `/v1/models/${MODEL}/predictions/k${entity}` };
    case 'lookups': {
      const keys = Array.from({ length: 1_000 }, (_, n) => `k${(entity + n) % 10_000}`);
      return { method: 'POST', path: `/v1/models/${MODEL}/lookups`, body: JSON.stringify({ keys }) };
    }
    case 'predict': {
      const row = Object.fromEntries(COLUMNS.map((name, n) => [name, Math.sin(entity * n)]));
      const body = JSON.stringify({ instances: [row], keys: [`k${entity}`] });
      return { method: 'POST', path: `/v1/models/${MODEL}/predict`, body };
    }
  }
}

function send(agent: Agent, url: string, { method, path, body }: Sent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(new URL(path, url), { agent, method, headers }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        if (response.statusCode !== 200) text += part.toString();
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}: ${text}`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

if (isMainThread) await main();
else parentPort?.postMessage(await load(workerData as Load));
