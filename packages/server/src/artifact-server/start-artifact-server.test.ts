import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { predictResponseSchema, type PredictionOutput } from '@perennial/contract';
import type { RunningArtifactServer } from '@perennial/validation';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { linearArtifact } from '@perennial/onnx/testing';
import { ArtifactServerError } from '../errors.ts';
import { startArtifactServer } from './start-artifact-server.ts';

/** Answers with twice its input. */
const DOUBLING = linearArtifact({ factor: 2 });

let folder = '';
/** Where servers make their working folders. */
let temporaryFolder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artifact-server-test-'));
  temporaryFolder = join(folder, 'temporary');
  await mkdir(temporaryFolder);
});
afterAll(() => rm(folder, { recursive: true }));

async function started(bytes: Uint8Array = DOUBLING): Promise<RunningArtifactServer> {
  const file = join(folder, 'model.onnx');
  await writeFile(file, bytes);
  const server = await startArtifactServer({ file, model: 'doubling' }, { temporaryFolder });
  onTestFinished(() => server.close());
  return server;
}

function predict(server: RunningArtifactServer, instances: unknown, token = server.token): Promise<Response> {
  return fetch(`${server.url}/v1/models/doubling/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ instances }),
  });
}

async function outputs(response: Response): Promise<PredictionOutput[]> {
  return predictResponseSchema.parse(await response.json()).predictions.map(({ output }) => output);
}

describe('the server of an artifact', () => {
  test('answers predictions on the loopback address as the platform does, and tells its memory', async () => {
    const server = await started();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await outputs(await predict(server, [{ x: 1.5 }, { x: null }]))).toEqual([
      { value: 3 },
      { value: 0 },
    ]);
    expect(await server.residentBytes()).toBeGreaterThan(10_000_000);
  });

  test('validates as the platform does, and lets in nobody without its token', async () => {
    const server = await started();
    const invalid = await predict(server, [{ x: 'far' }]);
    expect(invalid.status).toBe(400);
    expect(await invalid.json()).toMatchObject({ title: 'invalid-instance' });
    expect((await predict(server, [{ x: 1 }], 'guessed')).status).toBe(401);
    const elsewhere = await fetch(`${server.url}/v1/models`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(elsewhere.status).toBe(404);
  });

  test('is gone when it is closed, and leaves no folder behind', async () => {
    const server = await started();
    expect(await folders()).toHaveLength(1);
    await server.close();
    await expect(predict(server, [{ x: 1 }])).rejects.toThrow();
    expect(await folders()).toEqual([]);
  });

  test('that cannot open its artifact says why', async () => {
    const failing = started(Uint8Array.of(1, 2, 3));
    await expect(failing).rejects.toThrow(ArtifactServerError);
    await expect(failing).rejects.toThrow(/ended with exit code 1.\n.*not an ONNX file/s);
  });

  test('that does not come up in time is ended', async () => {
    const file = join(folder, 'late.onnx');
    await writeFile(file, DOUBLING);
    const failing = startArtifactServer({ file, model: 'doubling' }, { startMilliseconds: 1 });
    await expect(failing).rejects.toThrow('did not come up within 0.001 s');
  });

  test('ends when whoever started it is killed, and leaves no folder behind', async () => {
    const { parent, url } = await startedElsewhere();
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const ended = new Promise((resolve) => {
      // A process that ends without closing its socket resets it, which is an end like any other here.
      socket.on('error', () => undefined);
      socket.on('close', () => resolve('ended'));
    });
    await once(socket, 'connect');
    parent.kill('SIGKILL');
    expect(await ended).toBe('ended');
    await expect(fetch(url)).rejects.toThrow();
    expect(await folders()).toEqual([]);
  });

  test.skipIf(!existsSync(`/proc/self/task/${process.pid}/children`))(
    'sees no variable of whoever started it (skipped where /proc tells no environment)',
    async () => {
      const { parent } = await startedElsewhere();
      const [pid] = await childrenOf(parent.pid!);
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toBe('');
    },
  );
});

/** A process that starts an artifact's server and then does nothing until it is killed. */
async function startedElsewhere(): Promise<{ parent: ChildProcess; url: string }> {
  const file = join(folder, 'elsewhere.onnx');
  await writeFile(file, DOUBLING);
  const starter = new URL('../../dist/artifact-server/start-artifact-server.js', import.meta.url).href;
  const script = `import { startArtifactServer } from ${JSON.stringify(starter)};
    const { url } = await startArtifactServer(${JSON.stringify({ file, model: 'doubling' })}, ${JSON.stringify({ temporaryFolder })});
    console.log(url);
    setInterval(() => undefined, 1_000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, DATABASE_URL: 'postgres://secret' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [url] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  return { parent, url };
}

async function childrenOf(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ');
}

function folders(): Promise<string[]> {
  return readdir(temporaryFolder);
}
