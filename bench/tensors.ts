import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runLoad } from './load/run-load.ts';
import { PEERS, pythonEnvironment } from './peers/environment.ts';
import { COLUMNS } from './peers/peer.ts';
import { sampleRow } from './peers/peers.ts';
import { serveNetwork, startPlatform, type RunningPlatform } from './serving/platform.ts';
import { alternate, median, perSecond, verdict } from './serving/rounds.ts';

/**
 * Requests of 1,000 rows of 20 numbers, asked over HTTP from a process of its own on the same cores: as objects in JSON, as tensors in JSON and as tensors in bytes, of the real server
 * with tokens, validation, metrics and every prediction on record; and of a bare `node:http` handler that reads the bytes, runs the same artifact and answers.
 *
 *     node bench/dist/tensors.js [--rounds 3] [--seconds 4]
 */
const ROUNDS = Number(option('rounds') ?? 3);
const SECONDS = Number(option('seconds') ?? 4);
const ROWS = 1_000;
const CONNECTIONS = 4;
const MODEL = 'bench';

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? undefined : process.argv[at + 1];
}

const rows = Array.from({ length: ROWS }, (_, i) => sampleRow(i));
const column = (at: number) => Float64Array.from(rows, (row) => row[at] ?? NaN);

interface Request {
  path: string;
  headers: Record<string, string>;
  body: string;
}

const json = { 'content-type': 'application/json' };

function inObjects(): Request {
  const instances = rows.map((row) => Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]])));
  return { path: `/v1/models/${MODEL}/predict`, headers: json, body: JSON.stringify({ instances }) };
}

const INFER = `/v2/models/${MODEL}/infer`;
const about = (name: string) => ({ name, datatype: 'FP64', shape: [ROWS, 1] });

function inJsonTensors(): Request {
  const inputs = COLUMNS.map((name, i) => ({ ...about(name), data: [...column(i)] }));
  return { path: INFER, headers: json, body: JSON.stringify({ inputs }) };
}

function inBytes(): Request {
  const inputs = COLUMNS.map((name) => ({ ...about(name), parameters: { binary_data_size: ROWS * 8 } }));
  const header = Buffer.from(JSON.stringify({ parameters: { binary_data_output: true }, inputs }));
  const body = Buffer.concat([header, ...COLUMNS.map((_, i) => Buffer.from(column(i).buffer))]);
  return {
    path: INFER,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.length),
    },
    body: `base64:${body.toString('base64')}`,
  };
}

/** Rows a second in a closed loop; an answer that is no success is none. */
async function throughput(url: string, { headers, ...request }: Request, token = ''): Promise<number> {
  const { goodPerSecond, errors } = await runLoad({
    ...request,
    url,
    headers: token === '' ? headers : { ...headers, authorization: token },
    connections: CONNECTIONS,
    durationSeconds: SECONDS,
    warmupSeconds: 1,
  });
  if (Object.keys(errors).length > 0) console.log(`  errors at ${request.path}:`, errors);
  return goodPerSecond * ROWS;
}

async function startBare(artifact: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const program = fileURLToPath(new URL('./serving/bare-tensors.js', import.meta.url));
  const child = spawn(process.execPath, [program, artifact], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const stop = async () => {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  };
  return { url: `http://127.0.0.1:${port.toString().trim()}`, stop };
}

/** The file that the platform serves, which the bare handler is to run as well. */
async function fetchArtifact(platform: RunningPlatform, to: string): Promise<void> {
  const { secret } = (await platform.ask('POST', '/v1/tokens', { name: 'reader', roles: ['viewer'] })) as {
    secret: string;
  };
  const response = await fetch(`${platform.url}/v1/models/${MODEL}/versions/1/artifact`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  await writeFile(to, Buffer.from(await response.arrayBuffer()));
}

async function measure(platform: RunningPlatform, bare: string): Promise<void> {
  const token = platform.headers['authorization'] ?? '';
  const [objects, tensors, bytes] = [inObjects(), inJsonTensors(), inBytes()];
  const found = await alternate(ROUNDS, {
    'objects in JSON': () => throughput(platform.url, objects, token),
    'tensors in JSON': () => throughput(platform.url, tensors, token),
    'tensors in bytes': () => throughput(platform.url, bytes, token),
    'bare handler': () => throughput(bare, bytes),
  });
  console.log(
    `\nrows a second in requests of ${ROWS}, ${CONNECTIONS} connections, median of ${ROUNDS} (each: ${SECONDS} s)`,
  );
  for (const [name, values] of Object.entries(found))
    console.log(
      `  ${name.padEnd(18)} ${perSecond(median(values)).padStart(12)}   ${values.map(Math.round).join(' ')}`,
    );
  const against = (a: keyof typeof found, b: keyof typeof found) => median(found[a]) / median(found[b]);
  verdict('bytes against objects in JSON', against('tensors in bytes', 'objects in JSON'), { atLeast: 8 });
  verdict('bytes against a bare handler', against('tensors in bytes', 'bare handler'), { atLeast: 0.8 });
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const network = join(folder, 'network.onnx');
const artifact = join(folder, 'artifact.onnx');
const programs = await pythonEnvironment('network', ['onnx', 'numpy']);
if (programs === null) {
  console.log('tensors: skipped, since there is no Python to write the network with');
} else {
  execFileSync(join(programs, 'python'), [join(PEERS, 'network.py'), network]);
  const platform = await startPlatform({ folder: join(folder, 'platform') });
  await serveNetwork(platform, MODEL, network);
  await fetchArtifact(platform, artifact);
  const bare = await startBare(artifact);
  await measure(platform, bare.url);
  await bare.stop();
  await platform.stop();
}
await rm(folder, { recursive: true, force: true });
