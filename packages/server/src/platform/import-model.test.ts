import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, InvalidRequestError, ManualClock, type ImportRequest } from '@perennial/contract';
import { ModelRefusedError } from '@perennial/onnx';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile, hostileFiles } from '@perennial/onnx/testing';
import { FileArtifactStore, getModel, listModelVersions } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { ModelImporter } from './import-model.ts';

const clock = new ManualClock('2001-02-01T03:00:00Z');
let test: TestDatabase;
let folder: string;
let artifacts: FileArtifactStore;
let importer: ModelImporter;
beforeAll(async () => {
  test = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'perennial-import-'));
  artifacts = await FileArtifactStore.open({ folder });
  importer = new ModelImporter({ database: test.database, artifacts, clock, ids: new IdGenerator(clock) });
});
afterAll(async () => {
  await test.drop();
  await rm(folder, { recursive: true, force: true });
});

function bring(bytes: Uint8Array, more: Partial<ImportRequest> = {}, signal = new AbortController().signal) {
  const request = {
    file: Buffer.from(bytes).toString('base64'),
    sample: GOOD_SAMPLE,
    output: GOOD_OUTPUT,
    description: '',
    note: '',
    ...more,
  };
  return importer.import({ model: 'churn', request, by: 'ada', origin: 'here', signal });
}

/** Artifacts in the store. */
async function stored(): Promise<number> {
  let count = 0;
  for await (const _ of artifacts.list()) count += 1;
  return count;
}

describe('a file that is refused', () => {
  const named = (name: string) =>
    hostileFiles()
      .find((file) => file.name === name)
      ?.bytes() ?? new Uint8Array(0);

  it.each(['a circle of two nodes', 'a zip bomb', 'answers by chance'])(
    'leaves nothing: %s',
    async (name) => {
      await expect(bring(named(name))).rejects.toThrow(ModelRefusedError);
      expect(await stored()).toBe(0);
      await expect(getModel(test.database.orm, 'churn')).rejects.toThrow("no model 'churn'");
    },
  );

  it('says where the sample does not fit', async () => {
    const refused = bring(goodFile(), { sample: [...GOOD_SAMPLE, { amount: 'x', visits: 1 }] });
    await expect(refused).rejects.toThrow("the sample's column 'amount' holds number and string");
    const lacking = await bring(goodFile(), { sample: [...GOOD_SAMPLE, { amount: 1 }] }).catch(
      (error: unknown) => error,
    );
    expect(lacking).toBeInstanceOf(InvalidRequestError);
    expect(lacking).toMatchObject({ issues: [{ path: 'body.sample[3].visits' }] });
  });

  it('leaves nothing when its sender has gone', async () => {
    const gone = new AbortController();
    gone.abort(new Error('gone'));
    await expect(bring(goodFile(), {}, gone.signal)).rejects.toThrow('gone');
    expect(await stored()).toBe(0);
  });
});

it('a good file is stored once and registered once', async () => {
  const first = await bring(goodFile(), { note: 'from the growth team' });
  expect(first).toMatchObject({
    model: 'churn',
    version: 1,
    lineage: { kind: 'imported', by: 'ada', producer: 'elsewhere', note: 'from the growth team' },
    card: { kind: 'imported', sampleRows: GOOD_SAMPLE.length, file: { bytes: goodFile().length } },
  });
  expect(await bring(goodFile())).toMatchObject({ version: 1 });
  expect(await stored()).toBe(1);
  const { items } = await listModelVersions(test.database.orm, 'churn', { limit: 10 });
  expect(items).toHaveLength(1);
});
