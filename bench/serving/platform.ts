import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passableHome } from '@perennial/storage/testing/home';
import { COLUMNS } from '../peers/peer.ts';
import { sampleRow } from '../peers/peers.ts';

const PERENNIAL = fileURLToPath(new URL('../../../packages/cli/bin/perennial.js', import.meta.url));
const ADMIN_TOKEN = 'bench-admin-token-0123456789';

/** `perennial up` as a person starts it, with tokens, on a folder of its own. */
export interface RunningPlatform {
  url: string;
  pid: number;
  /** Of a token that may predict and nothing else. */
  headers: Record<string, string>;
  /** A request with the administrator's token. @throws what the server refuses */
  ask: (method: string, path: string, body?: unknown) => Promise<unknown>;
  stop: () => Promise<void>;
}

export interface PlatformStart {
  folder: string;
  variables?: Record<string, string>;
  options?: string[];
}

export async function startPlatform({
  folder,
  variables,
  options = [],
}: PlatformStart): Promise<RunningPlatform> {
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  const env = {
    ...process.env,
    PERENNIAL_HOME: await passableHome(folder),
    PERENNIAL_PIPELINES: join(folder, 'pipelines'),
    PERENNIAL_ADMIN_TOKEN: ADMIN_TOKEN,
    PERENNIAL_LOG_LEVEL: 'warn',
    PERENNIAL_REQUESTS_PER_MINUTE: '10000000',
    DATABASE_URL: '',
    ...variables,
  };
  const child = spawn(process.execPath, [PERENNIAL, 'up', '--port', '0', ...options], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await addressOf(child.stdout);
  const ask = (method: string, path: string, body?: unknown) => request(url + path, { method, body });
  // Of a name of its own: the database may be one that another platform was measured on.
  const named = { name: `bench ${randomUUID()}`, roles: ['predictor'] };
  const { secret } = (await ask('POST', '/v1/tokens', named)) as { secret: string };
  return {
    url,
    pid: child.pid ?? 0,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ask,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Where it says that it is up; what it prints after that is let pass. */
function addressOf(out: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    out.on('data', (chunk) => {
      text += String(chunk);
      const url = /^Perennial is up at (\S+)/m.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    out.once('end', () => reject(new Error('The platform ended before it was up.')));
  });
}

async function request(url: string, { method, body }: { method: string; body: unknown }): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Registers the network of an ONNX file and lets it into production, as a person would. */
export async function serveNetwork(platform: RunningPlatform, model: string, file: string): Promise<void> {
  const sample = [0, 1].map((seed) => {
    const row = sampleRow(seed);
    return Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]]));
  });
  const bytes = await readFile(file);
  await platform.ask('POST', `/v1/models/${model}/versions`, {
    file: bytes.toString('base64'),
    sample,
    output: { kind: 'binary', threshold: 0.5 },
  });
  await platform.ask('POST', `/v1/models/${model}/versions/1/releases`, { reason: 'bench' });
}
