import { createHash } from 'node:crypto';
import { appendFile, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv } from '@perennial/pipeline';
import { TriggerBench, type TimedPipeline } from '../testing/trigger-bench.ts';
import type { FileLister, WatchedFile } from './file-lister.ts';
import { FileTriggers } from './file-triggers.ts';

const SETTLE = 10_000;

let bench: TriggerBench;
let folder: string;
let watch: FileTriggers;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-files-'));
});
afterEach(async () => {
  await bench.drop();
  await rm(folder, { recursive: true, force: true });
});

const pipeline = (): TimedPipeline => ({
  name: 'flights',
  folder,
  source: csv(['data/*.csv', 'one.csv']),
  triggers: { files: {} },
});

async function open(files: Record<string, string> = {}): Promise<void> {
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  bench = await TriggerBench.open([pipeline()], '2026-05-04T12:00:00Z');
  watch = new FileTriggers(bench.parts);
  await watch.tick();
}

/** Sees the files, lets them settle and sees them again. */
async function settle(files = watch): Promise<void> {
  await files.tick();
  bench.clock.advance(SETTLE);
  await files.tick();
}

const named = async () =>
  (await bench.triggers()).map((trigger) => trigger.cause.files?.map((file) => file.name).sort());

describe('a file that comes', () => {
  it('starts a run once it has stood still, and is on record with its name, size and digest', async () => {
    await open();
    await writeFile(join(folder, 'data/monday.csv'), 'at,late\n');
    await settle();
    const digest = `sha256:${createHash('sha256').update('at,late\n').digest('hex')}`;
    const [trigger] = await bench.triggers();
    expect(trigger).toMatchObject({ kind: 'file', outcome: 'ran', by: 'a new file' });
    expect(trigger?.cause.files).toEqual([{ name: 'data/monday.csv', bytes: 8, digest }]);
    await settle();
    expect(await bench.triggers()).toHaveLength(1);
  });

  it('is not taken while it is written, and is read once, whole', async () => {
    await open();
    const path = join(folder, 'one.csv');
    for (let part = 0; part < 5; part++) {
      await appendFile(path, `part ${part}\n`);
      await watch.tick();
      bench.clock.advance(SETTLE - 1);
      await watch.tick();
    }
    expect(await bench.triggers()).toEqual([]);
    bench.clock.advance(1);
    await watch.tick();
    expect((await bench.triggers()).map((trigger) => trigger.cause.files)).toMatchObject([
      [{ name: 'one.csv', bytes: 35 }],
    ]);
  });

  it('starts one run together with the others that came at the same time', async () => {
    await open();
    await Promise.all([1, 2, 3].map((day) => writeFile(join(folder, `data/${day}.csv`), `day ${day}`)));
    await settle();
    expect(await named()).toEqual([['data/1.csv', 'data/2.csv', 'data/3.csv']]);
    expect(await bench.runs()).toHaveLength(1);
  });

  it('under 100 changing names with the same content starts one run', async () => {
    await open();
    await writeFile(join(folder, 'data/0.csv'), 'the same content');
    await settle();
    for (let name = 1; name < 100; name++) {
      if (name % 2 === 0) await copyFile(join(folder, 'data/0.csv'), join(folder, `data/${name}.csv`));
      else await rename(join(folder, `data/${name - 1}.csv`), join(folder, 'data/0.csv'));
      await settle();
    }
    expect(await bench.count('triggers')).toBe(1);
    expect(await bench.count('runs')).toBe(1);
  });

  it('starts another run when its content changes', async () => {
    await open();
    await writeFile(join(folder, 'one.csv'), 'first');
    await settle();
    await writeFile(join(folder, 'one.csv'), 'second');
    await settle();
    expect(await named()).toEqual([['one.csv'], ['one.csv']]);
  });

  it('is none of ours where no path names it, where it is a folder, and while it is empty', async () => {
    await open();
    await mkdir(join(folder, 'data/folder.csv'));
    await writeFile(join(folder, 'data/notes.txt'), 'not a row');
    await writeFile(join(folder, 'data/empty.csv'), '');
    await settle();
    expect(await bench.triggers()).toEqual([]);
  });
});

describe('a watch', () => {
  it('counts as taken what is there when the pipeline is loaded for the first time', async () => {
    await open({ 'data/old.csv': 'old', 'one.csv': 'older' });
    await settle();
    expect(await bench.triggers()).toEqual([]);
  });

  it('sees what came while nobody was up, in a folder that was empty before, too', async () => {
    await open();
    await writeFile(join(folder, 'one.csv'), 'came in the night');
    const restarted = new FileTriggers(bench.parts);
    await restarted.tick();
    await settle(restarted);
    expect(await named()).toEqual([['one.csv']]);
  });

  it('shared by two schedulers takes each file once', async () => {
    await open({ 'data/old.csv': 'old' });
    const other = new FileTriggers(bench.parts);
    await other.tick();
    await writeFile(join(folder, 'one.csv'), 'new');
    await Promise.all([watch.tick(), other.tick()]);
    bench.clock.advance(SETTLE);
    await Promise.all([watch.tick(), other.tick()]);
    expect(await named()).toEqual([['one.csv']]);
  });

  it('looks where it is told to, for sources that are not on the local disk', async () => {
    const store = new Map<string, { etag: string; bytes: number }>();
    const lister: FileLister = {
      listFiles: async () =>
        [...store].map(([name, { etag, bytes }]): WatchedFile => {
          return { name, bytes, version: etag, digest: async () => `sha256:${etag.padStart(64, '0')}` };
        }),
    };
    const source = { kind: 'objectStore' as const, bucket: 'rows', prefix: '2026/', format: 'csv' as const };
    bench = await TriggerBench.open([{ ...pipeline(), source }], '2026-05-04T12:00:00Z');
    watch = new FileTriggers({
      ...bench.parts,
      listerOf: (loaded) => (loaded.spec.data.source.kind === 'objectStore' ? lister : undefined),
    });
    await watch.tick();
    store.set('2026/05.csv', { etag: 'a', bytes: 10 });
    await settle();
    store.set('2026/05.csv', { etag: 'b', bytes: 10 });
    await settle();
    expect(await named()).toEqual([['2026/05.csv'], ['2026/05.csv']]);
  });

  it('that cannot see one pipeline still sees the others, and says so', async () => {
    const failing: FileLister = { listFiles: () => Promise.reject(new Error('The bucket is away.')) };
    await mkdir(join(folder, 'data'));
    const source = { kind: 'objectStore' as const, bucket: 'rows', prefix: '', format: 'csv' as const };
    const remote = { ...pipeline(), name: 'remote', source };
    bench = await TriggerBench.open([remote, pipeline()], '2026-05-04T12:00:00Z');
    watch = new FileTriggers({ ...bench.parts, listerOf: () => failing });
    await expect(watch.tick()).rejects.toThrow(AggregateError);
    await writeFile(join(folder, 'one.csv'), 'new');
    await expect(settle()).rejects.toThrow(AggregateError);
    bench.clock.advance(SETTLE);
    await expect(watch.tick()).rejects.toThrow(AggregateError);
    expect(await named()).toEqual([['one.csv']]);
  });
});
