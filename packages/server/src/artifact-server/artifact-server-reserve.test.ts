import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { predictResponseSchema } from '@perennial/contract';
import type { RunningArtifactServer } from '@perennial/validation';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { linearArtifact } from '@perennial/onnx/testing';
import { ArtifactServerReserve } from './artifact-server-reserve.ts';

/** Answers with twice its input. */
const DOUBLING = linearArtifact({ factor: 2 });

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artifact-server-reserve-'));
  file = join(folder, 'model.onnx');
  await writeFile(file, DOUBLING);
});
afterAll(() => rm(folder, { recursive: true }));

/** A reserve, and the working folders of its processes. */
async function opened() {
  const temporaryFolder = await mkdtemp(join(folder, 'temporary-'));
  const reserve = new ArtifactServerReserve({ temporaryFolder });
  onTestFinished(() => reserve.close());
  return { reserve, folders: () => readdir(temporaryFolder) };
}

async function started(reserve: ArtifactServerReserve): Promise<RunningArtifactServer> {
  const server = await reserve.start({ file, model: 'doubling' });
  onTestFinished(() => server.close());
  return server;
}

async function doubled({ url, token }: RunningArtifactServer, x: number): Promise<unknown> {
  const response = await fetch(`${url}/v1/models/doubling/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ instances: [{ x }] }),
  });
  return predictResponseSchema.parse(await response.json()).predictions[0]?.output;
}

describe('processes that wait for an artifact', () => {
  test('serve one each, and one is started where none is left', async () => {
    const { reserve, folders } = await opened();
    reserve.prepare(1);
    const [first, second] = [await started(reserve), await started(reserve)];
    expect(await doubled(first, 1)).toEqual({ value: 2 });
    expect(await doubled(second, 2)).toEqual({ value: 4 });
    expect(second.url).not.toBe(first.url);
    expect(await folders()).toHaveLength(2);
  });

  test('are as many as were asked for, and gone when they are not wanted', async () => {
    const { reserve, folders } = await opened();
    reserve.prepare(1);
    reserve.prepare(2);
    const server = await started(reserve);
    expect(await folders()).toHaveLength(2);
    await reserve.close();
    expect(await folders()).toHaveLength(1);
    expect(await doubled(server, 3)).toEqual({ value: 6 });
  });

  test('that ended meanwhile are passed over', async () => {
    const { reserve } = await opened();
    reserve.prepare(1);
    await reserve.close();
    expect(await doubled(await started(reserve), 4)).toEqual({ value: 8 });
  });
});
