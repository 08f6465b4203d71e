import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InputColumn, FittedLabel } from '@perennial/contract';
import type { ColumnBatch } from '../../batch.ts';
import { ModelRefusedError } from '../../errors.ts';
import { InferenceModel } from '../../inference-model.ts';
import { goodFile, hostileFiles } from '../../testing/hostile-files.ts';
import { inspectModel } from '../inspect-model.ts';
import { ownSignature } from '../read-foreign.ts';
import { tryModel } from './try-model.ts';

const columns: InputColumn[] = [
  { name: 'amount', type: 'number' },
  { name: 'visits', type: 'number' },
];
const label: FittedLabel = { kind: 'binary', name: 'label', threshold: 0.5 };
const sample: ColumnBatch = {
  rows: 3,
  columns: { amount: Float64Array.of(1, -0.5, 3), visits: Float64Array.of(2, 0.25, -1) },
};

/** Room enough for a good file on a busy machine, and little enough for a hostile one. */
const limits = { timeout: 60_000, memory: 600 * 1024 ** 2 };
/** For those whose reason is the time that they take: waiting longer shows no more. */
const shortly = { ...limits, timeout: 3_000 };

function refusal(bytes: Uint8Array, within = limits): Promise<string> {
  const own = ownSignature(inspectModel(bytes)) !== undefined;
  return tryModel({ bytes, adopt: own ? null : { columns, label }, sample }, within).then(
    () => 'taken',
    (error: unknown) => (error instanceof ModelRefusedError ? error.reason : String(error)),
  );
}

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'perennial-try-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('a file is tried in a process of its own', () => {
  it('which gives back its adopted form, and what it answers', async () => {
    const tried = await tryModel({ bytes: goodFile(), adopt: { columns, label }, sample }, limits);
    expect(tried).toMatchObject({
      signature: { inputs: columns, output: { kind: 'binary', threshold: 0.5 } },
      operators: ['MatMul', 'Sigmoid', 'Sub', 'Concat'],
    });
    const model = await InferenceModel.load(tried.bytes);
    expect(await model.run(sample)).toEqual(tried.answers);
    await model.release();
    expect(await tryModel({ bytes: tried.bytes, adopt: null, sample }, limits)).toMatchObject({
      bytes: tried.bytes,
    });
  });

  it('which is gone, as its folder is, when the caller has given up', async () => {
    const given = new AbortController();
    const endless = hostileFiles().find(({ name }) => name === 'a loop without an end');
    const trial = tryModel(
      { bytes: endless?.bytes() ?? goodFile(), adopt: { columns, label }, sample },
      { signal: given.signal, scratch },
    );
    given.abort(new Error('no longer wanted'));
    await expect(trial).rejects.toThrow('no longer wanted');
    expect(await readdir(scratch)).toEqual([]);
  });

  it.each(hostileFiles().filter(({ shownBy }) => shownBy === 'running'))(
    'that refuses $name',
    async ({ bytes, reason }) => {
      const within = reason.source.includes('took longer') ? shortly : limits;
      expect(await refusal(bytes(), within)).toMatch(reason);
    },
  );
});
