import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseId, reproductionSchema, type Reproduction } from '@perennial/contract';
import { RunBench, visits } from '../testing/run-bench.ts';

let bench: RunBench;
beforeAll(async () => {
  bench = await RunBench.open();
  expect(await bench.execute(await bench.start())).toMatchObject({ state: 'succeeded', version: 1 });
}, 60_000);
afterEach(async () => {
  await writeFile(source(), visits());
  await bench.change('as it was');
});
afterAll(() => bench.close());

const source = () => join(bench.folder, 'visits.csv');
const again = async () => bench.reproduce(await bench.startReproduction(1));
const what = ({ differences }: Reproduction) => differences.map((difference) => difference.what);

async function stored(): Promise<string[]> {
  const digests: string[] = [];
  for await (const digest of bench.store.list()) digests.push(digest);
  return digests.sort();
}

/** Rewrites something of what is on record, does what is asked, and puts it back. */
async function withRecord<Result>(
  change: { table: 'runs' | 'model_versions'; path: string[]; value: unknown },
  work: () => Promise<Result>,
): Promise<Result> {
  const { sql } = bench.database;
  const column = change.table === 'runs' ? 'spec' : 'lineage';
  const [before] = await sql`select ${sql(column)} as value from ${sql(change.table)}`;
  // Versions are never changed: a trigger sees to it, which only the owner of the table can put aside.
  if (change.table === 'model_versions') await sql`alter table model_versions disable trigger user`;
  await sql`
    update ${sql(change.table)}
    set ${sql(column)} = jsonb_set(${sql(column)}, ${change.path}, ${JSON.stringify(change.value)}::text::jsonb)`;
  try {
    return await work();
  } finally {
    await sql`
      update ${sql(change.table)} set ${sql(column)} = ${JSON.stringify(before?.['value'])}::text::jsonb`;
    await sql`alter table model_versions enable trigger user`;
  }
}

describe('a version that is made again', { timeout: 60_000 }, () => {
  it('is identical where nothing has changed, and leaves nothing behind', async () => {
    const before = await stored();
    const asked = await bench.startReproduction(1);
    expect(asked).toMatchObject({ model: 'visits', version: 1, state: 'queued', requestedBy: 'test' });
    const ended = await bench.reproduce(asked);
    expect(reproductionSchema.parse(ended)).toEqual(ended);
    expect(ended).toMatchObject({ state: 'identical', differences: [], error: null });
    expect(ended.endedAt).not.toBeNull();
    expect(await stored()).toEqual(before);
    expect(await readdir(join(bench.folder, 'work'))).toEqual([]);
  });

  it('is identical where rows came after its window, and where the code of its pipeline changed that has no part in it', async () => {
    await writeFile(source(), `${visits()}\n2024-03-20T00:00:00.000Z,3,false`);
    await bench.change('other code');
    expect(await again()).toMatchObject({ state: 'identical', differences: [] });
  });

  it('names the file and what came of it where the source has changed, and says nothing against the training', async () => {
    await writeFile(source(), visits().replace(/^(2024-03-05.*),true$/m, '$1,false'));
    const ended = await again();
    expect(ended).toMatchObject({ state: 'different', error: null });
    expect(what(ended)).toEqual(
      expect.arrayContaining([
        'dataset',
        'source.files.visits.csv.digest',
        'dataset.splits.train.digest',
      ]) as string[],
    );
    expect(what(ended).filter((name) => name.startsWith('artifact'))).toEqual([]);
    const [whole] = ended.differences;
    expect(whole?.recorded).toMatch(/^sha256:/);
    expect(whole?.found).toMatch(/^sha256:/);
    expect(whole?.found).not.toBe(whole?.recorded);
  });

  it('names weights and metadata where the training comes to something else', async () => {
    const other = { table: 'runs' as const, path: ['train', 'seed'], value: 99 };
    const ended = await withRecord(other, again);
    expect(ended.state).toBe('different');
    expect(what(ended)).toEqual(expect.arrayContaining(['artifact', 'artifact.metadata.seed']) as string[]);
    expect(what(ended).some((name) => name.startsWith('artifact.initializers.'))).toBe(true);
    expect(what(ended).filter((name) => name.startsWith('dataset'))).toEqual([]);
    expect(ended.differences.find((one) => one.what === 'artifact.metadata.seed')).toEqual({
      what: 'artifact.metadata.seed',
      recorded: '1',
      found: '99',
    });
  });

  it('fails where its source is gone, naming it', async () => {
    await rm(source());
    expect(await again()).toMatchObject({
      state: 'failed',
      error: { code: 'source-invalid', message: expect.stringContaining('visits.csv') as string },
    });
  });

  it('fails where its pipeline is not loaded', async () => {
    await bench.change('gone');
    expect(await again()).toMatchObject({ state: 'failed', error: { code: 'pipeline-not-found' } });
  });

  it('fails where code had a part in it that is another by now', async () => {
    await bench.change('other code');
    const custom = { table: 'runs' as const, path: ['train', 'kind'], value: 'custom' };
    expect(await withRecord(custom, again)).toMatchObject({
      state: 'failed',
      error: {
        code: 'conflict',
        message: expect.stringMatching(/^visits@1 cannot be made again here\. The code/) as string,
      },
    });
  });

  it('fails where the backend that trained it cannot be used', async () => {
    const lineage = { table: 'model_versions' as const, path: ['backend'], value: 'tfjs-node-gpu' };
    expect(await withRecord(lineage, again)).toMatchObject({
      state: 'failed',
      error: { code: 'training-failed', message: expect.stringContaining('tfjs-node-gpu') as string },
    });
  });
});

describe('the job of a reproduction', { timeout: 60_000 }, () => {
  it('changes nothing when it comes again after the end', async () => {
    const ended = await again();
    await rm(source());
    expect(await bench.reproduce(ended)).toEqual(ended);
  });

  it('that is stopped is begun anew by the next worker', async () => {
    const asked = await bench.startReproduction(1);
    const stopping = new AbortController();
    bench.store.beforeGet = async () => stopping.abort(new Error('The worker stops.'));
    await expect(bench.reproduce(asked, { signal: stopping.signal })).rejects.toThrow('The worker stops.');
    bench.store.beforeGet = async () => undefined;
    const [row] = await bench.database
      .sql`select state from reproductions where id = ${parseId('reproduction', asked.id)}`;
    expect(row).toEqual({ state: 'running' });
    expect(await bench.reproduce(asked, { attempt: 2 })).toMatchObject({ state: 'identical' });
  });

  it('is left to the queue while what stops it can pass, and not for ever', async () => {
    const asked = await bench.startReproduction(1);
    // Of a dataset that came out otherwise, the recorded splits are read from the store that is away.
    await writeFile(source(), visits().replace(/^(2024-03-05.*),true$/m, '$1,false'));
    bench.store.failures = 2;
    await expect(bench.reproduce(asked)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await bench.reproduce(asked, { attempt: 5 })).toMatchObject({
      state: 'failed',
      error: { code: 'unavailable' },
    });
  });

  it('that five workers did not survive is given up', async () => {
    const asked = await bench.startReproduction(1);
    expect(await bench.reproduce(asked, { attempt: 6 })).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('begun 5 times') as string },
    });
  });

  it('is not there for a version that there is not', async () => {
    await expect(bench.startReproduction(7)).rejects.toMatchObject({ code: 'version-not-found' });
  });
});
