import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passableHome } from '@perennial/storage/testing/home';
import { benchInstance, benchNetwork } from './network.ts';

const CLI = fileURLToPath(new URL('../../../packages/cli/bin/perennial.js', import.meta.url));
export const BENCH_MODEL = 'bench';

export interface RealServer {
  url: string;
  path: string;
  process: ChildProcess;
  /** A token that may predict and nothing else, as a caller would have: in a header. */
  headers: Record<string, string>;
  close: () => Promise<void>;
}

export interface RealServerOptions {
  /** Environment variables such as PERENNIAL_DURABILITY. */
  variables?: Record<string, string>;
  /** Of `node`, such as `--cpu-prof`. */
  nodeOptions?: readonly string[];
}

const ADMIN = 'bench-admin-token-0123456789';

/** `perennial up` on a database of its own, with the measured model in production, reached by a token that was made for it. */
export async function startRealServer({
  variables = {},
  nodeOptions = [],
}: RealServerOptions = {}): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
  await mkdir(join(folder, 'pipelines'));
  const home = await passableHome(folder);
  const child = spawn(process.execPath, [...nodeOptions, CLI, 'up'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PERENNIAL_HOME: home,
      PERENNIAL_PIPELINES: join(folder, 'pipelines'),
      PERENNIAL_PORT: '0',
      PERENNIAL_ADMIN_TOKEN: ADMIN,
      PERENNIAL_REQUESTS_PER_MINUTE: '1000000000',
      PERENNIAL_LOG_LEVEL: 'warn',
      ...variables,
    },
  });
  const close = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const url = await addressOf(child);
    await putIntoProduction(url);
    const { secret } = await ask<{ secret: string }>(`${url}/v1/tokens`, {
      name: 'caller',
      roles: ['predictor'],
    });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
    return { url, path: `/v1/models/${BENCH_MODEL}/predict`, process: child, headers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The server has no output.');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error('The server did not come up.');
}

async function ask<Answer>(url: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

async function putIntoProduction(url: string): Promise<void> {
  await ask(`${url}/v1/models/${BENCH_MODEL}/versions`, {
    file: Buffer.from(benchNetwork()).toString('base64'),
    sample: [benchInstance(1), benchInstance(2)],
  });
  await ask(`${url}/v1/models/${BENCH_MODEL}/versions/1/releases`, { reason: 'to be measured' });
}
