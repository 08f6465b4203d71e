import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { perennial } from '@perennial/cli/testing';
import { createClient } from '@perennial/client';
import type { Batch } from '@perennial/contract';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { digestOf } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';

const COLUMNS = Object.keys(GOOD_SAMPLE[0] ?? {});
const ROWS = 50;

let test: TestPlatform;
beforeAll(async () => {
  const lines = Array.from({ length: ROWS }, (_, i) => [`n${i}`, ...COLUMNS.map((_, c) => i + c)].join(','));
  const csv = [['id', ...COLUMNS].join(','), ...lines].join('\n');
  test = await startTestPlatform({ files: { 'pipelines/rows.csv': csv } });
  const body = {
    file: Buffer.from(goodFile()).toString('base64'),
    sample: GOOD_SAMPLE,
    output: GOOD_OUTPUT,
  };
  await test.client.importVersion({ params: { model: 'churn' }, body });
});
afterAll(() => test.stop());

const batch = (...words: string[]) => perennial('batch', ...words, '--url', test.platform.url);

it('a batch is asked for, watched and fetched by the command line', async () => {
  const file = join(test.folder, 'out.parquet');
  const asked = await batch('churn@1', '--input', 'rows.csv', '--keys', 'id', '--output', file);
  expect(asked).toMatchObject({ status: 0, errors: '' });
  expect(asked.out).toMatch(/^batch_\S+ of churn@1: queued\n/);
  expect(asked.out).toContain(`completed: ${ROWS} rows`);
  const { items } = await test.client.listBatches({ query: { model: 'churn' } });
  const [done] = items;
  expect(done).toMatchObject({
    state: 'completed',
    rows: ROWS,
    done: ROWS,
    keys: ['id'],
    requestedBy: 'local',
  });
  const bytes = await readFile(file);
  expect(digestOf(bytes)).toBe(done?.output?.digest);
  const again = join(test.folder, 'again.parquet');
  expect((await batch('--fetch', done?.id ?? '', '--output', again)).out).toContain(`${ROWS} rows`);
  expect((await readFile(again)).equals(bytes)).toBe(true);
  const listed = await perennial('batches', 'churn', '--url', test.platform.url);
  expect(listed.out).toContain(done?.id);
  const response = await test.request(`/v1/batches/${done?.id}/output`);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  await response.arrayBuffer();
});

it('a batch that fails says why, with status 1', async () => {
  const { status, errors, out } = await batch('churn@1', '--input', 'nowhere.parquet');
  expect(status).toBe(1);
  expect(errors).toContain("'nowhere.parquet': there is no such file");
  const id = /batch_\S+/.exec(out)?.[0] ?? '';
  expect((await batch('--fetch', id, '--output', join(test.folder, 'x'))).errors).toContain(
    'it has no output',
  );
  expect((await batch('--cancel', id)).errors).toContain("'cancel' is not possible from there");
});

it.each([
  [['churn'], 'Pass a model with --input'],
  [['churn@1', '--input', 'rows'], 'does not say which format'],
  [['churn@1', '--input', `sha256:${'0'.repeat(64)}/all`], 'is not a path'],
  [['--fetch', 'batch_1'], '--fetch needs --output'],
])('a command line that cannot be meant (%j) has status 2', async (words, message) => {
  const { status, errors } = await batch(...words);
  expect({ status, errors }).toEqual({ status: 2, errors: expect.stringContaining(message) as string });
});

it('a path out of the folder is refused when it is asked for', async () => {
  const { status, errors } = await batch('churn@1', '--input', '../secret.csv');
  expect(status).toBe(1);
  expect(errors).toContain('input.path: must be a path relative to the folder');
});

it('is answered the same when it is asked for again with its key', async () => {
  const request = {
    params: { model: 'churn' },
    body: { input: { kind: 'files' as const, format: 'csv' as const, path: 'rows.csv' }, version: 1 },
  };
  const ask = () => test.client.startBatch(request, { idempotencyKey: 'once' });
  const [first, second]: Batch[] = [await ask(), await ask()];
  expect(second?.id).toBe(first?.id);
});

it('who is held to a model sees its batches and no others', async () => {
  const own = async (model: string) => {
    const body = { name: model, roles: ['operator' as const, 'viewer' as const], models: [model] };
    const { secret } = await test.client.createToken({ body });
    return createClient({ baseUrl: test.platform.url, token: secret });
  };
  const { items } = await test.client.listBatches({ query: { limit: 1 } });
  const params = { batch: items[0]?.id ?? '' };
  expect((await (await own('churn')).getBatch({ params })).id).toBe(params.batch);
  const stranger = await own('another');
  for (const call of [
    () => stranger.getBatch({ params }),
    () => stranger.getBatchOutput({ params }),
    () => stranger.cancelBatch({ params }),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'forbidden' });
});
