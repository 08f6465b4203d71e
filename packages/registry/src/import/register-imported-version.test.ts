import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock, importedCardSchema } from '@perennial/contract';
import { getModel, getModelVersion, listAudit, listReleases, transaction } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { digest } from '../testing/candidate.ts';
import { registerImportedVersion, type ImportedVersion } from './register-imported-version.ts';

const clock = new ManualClock('2001-02-01T03:00:00Z');
const ids = new IdGenerator(clock);
const opened: TestDatabase[] = [];
let test: TestDatabase;

beforeEach(async () => {
  test = await createTestDatabase();
  opened.push(test);
});
afterAll(async () => {
  for (const database of opened) await database.drop();
});

const db = () => test.database.orm;
const register = (imported: ImportedVersion) =>
  transaction(test.database, (tx) => registerImportedVersion(tx, imported, { clock, ids }));

function imported(artifact: number, more: Partial<ImportedVersion> = {}): ImportedVersion {
  return {
    model: 'churn',
    artifact: { digest: digest(artifact), bytes: 1_200 },
    signature: { inputs: [{ name: 'age', type: 'number' }], output: { kind: 'binary', threshold: 0.5 } },
    file: {
      bytes: 1_000,
      digest: digest(artifact + 1_000),
      producer: 'skl2onnx 1.20.0',
      opsets: [{ domain: '', version: 17 }],
      operators: [{ name: 'MatMul', count: 1 }],
      parameters: 2,
    },
    sampleRows: 3,
    description: '',
    lineage: {
      kind: 'imported',
      by: 'ada',
      producer: 'skl2onnx 1.20.0',
      note: '',
      platformVersion: '0.1.0',
    },
    origin: '203.0.113.7 req_1',
    ...more,
  };
}

describe('a file that was made elsewhere', () => {
  it('is the next version, without a run, a dataset, a gate or a release', async () => {
    expect(await register(imported(1, { description: 'Who leaves.' }))).toBe(1);
    const version = await getModelVersion(db(), 'churn', 1);
    expect(version).toMatchObject({
      artifact: digest(1),
      gate: null,
      aliases: [],
      description: 'Who leaves.',
      asOf: '2001-02-01T03:00:00.000Z',
      lineage: { kind: 'imported', by: 'ada' },
    });
    expect(importedCardSchema.parse(version.card)).toMatchObject({
      overview: { description: 'Who leaves.', owners: [], limitations: [] },
      file: { digest: digest(1_001) },
      history: [],
    });
    expect((await listReleases(db(), { limit: 10 }, clock.now())).items).toEqual([]);
    expect(await register(imported(2))).toBe(2);
    expect((await getModelVersion(db(), 'churn', 2)).card.history).toMatchObject([
      { version: 1, verdict: null },
    ]);
  });

  it('is not registered twice in a model, also by two requests at once, and leaves no hole in the numbers', async () => {
    const both = await Promise.all([register(imported(1)), register(imported(1))]);
    expect(both).toEqual([1, 1]);
    expect(await register(imported(1))).toBe(1);
    expect(await getModel(db(), 'churn')).toMatchObject({ latestVersion: 1 });
    expect(await register(imported(1, { model: 'other' }))).toBe(1);
    expect(await register(imported(2))).toBe(2);
  });

  it('is audited with who, why and from where, once', async () => {
    await register(imported(1, { lineage: { ...imported(1).lineage, note: 'ticket 4711' } }));
    await register(imported(1));
    const { items } = await listAudit(db(), { limit: 10 });
    expect(items).toMatchObject([
      {
        by: 'ada',
        action: 'version.registered',
        subject: 'version:churn@1',
        reason: 'ticket 4711',
        origin: '203.0.113.7 req_1',
        details: { artifact: digest(1), file: digest(1_001), producer: 'skl2onnx 1.20.0' },
      },
      { by: 'ada', action: 'model.created', subject: 'model:churn', reason: 'ticket 4711' },
    ]);
  });

  it('leaves nothing when the transaction fails', async () => {
    const failing = transaction(test.database, async (tx) => {
      await registerImportedVersion(tx, imported(1), { clock, ids });
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    await expect(getModel(db(), 'churn')).rejects.toThrow("no model 'churn'");
  });
});
