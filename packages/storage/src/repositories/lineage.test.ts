import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  NotFoundError,
  fileLineageSchema,
  predictionLineageSchema,
  type DataCard,
  type DatasetManifest,
  type GateReport,
  type ModelCard,
  type RunLineage,
  type Signature,
} from '@perennial/contract';
import { ensurePredictionPartitions } from '../database/partitions.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { saveDatasetVersion } from './datasets.ts';
import { fileLineage, predictionLineage } from './lineage.ts';
import { insertModelVersion } from './model-versions.ts';
import { takeVersionNumber } from './models.ts';

const digest = (text: string): string => `sha256:${Buffer.from(text).toString('hex').padStart(64, '0')}`;
const AT = new Date('2001-04-01T00:00:00Z');
const minute = (number: number) => new Date(AT.getTime() + number * 60_000);

let test: TestDatabase;
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(() => test.drop());

/** A dataset version that was made from files of the given contents, each called after its content. */
async function dataset(name: string, files: string[]): Promise<void> {
  await saveDatasetVersion(test.database.orm, {
    digest: digest(name),
    asOf: AT,
    createdAt: AT,
    manifest: { pipeline: 'visits' } as DatasetManifest,
    card: {
      files: files.map((file) => ({ name: `${file}.csv`, bytes: 10, digest: digest(file) })),
    } as DataCard,
  });
}

interface Made {
  model?: string;
  /** Its bytes. */
  artifact: string;
  dataset?: string;
  warmStartedFrom?: string;
}

async function version({ model = 'visits', artifact, ...from }: Made): Promise<number> {
  const db = test.database.orm;
  const number = await takeVersionNumber(db, model, AT);
  await insertModelVersion(db, {
    model,
    version: number,
    runId: null,
    artifactDigest: digest(artifact),
    artifactBytes: 1,
    datasetDigest: from.dataset === undefined ? null : digest(from.dataset),
    signature: {} as Signature,
    lineage: lineageOf(from),
    gate: {} as GateReport,
    card: {} as ModelCard,
    asOf: AT,
    createdAt: AT,
  });
  return number;
}

function lineageOf({ dataset, warmStartedFrom }: Omit<Made, 'artifact'>): RunLineage {
  return {
    kind: 'run',
    run: `run_${randomUUID()}`,
    pipeline: 'visits',
    codeDigest: digest('code'),
    dataset: digest(dataset ?? 'none'),
    warmStartedFrom: warmStartedFrom === undefined ? null : digest(warmStartedFrom),
    backend: 'cpu',
    device: 'cpu',
    seed: 1,
    platformVersion: '0.0.0',
  };
}

/** Points the champion, as a release of that number did. */
async function promote(to: { version: number; at: Date; revision: number; release: string }): Promise<void> {
  const { sql } = test.database;
  await sql`
    insert into releases (id, model, version, state, requested_by, requested_at, updated_at, last_sequence)
    values (${to.release}, 'visits', ${to.version}, 'superseded', 'test', ${to.at}, ${to.at}, 1) on conflict do nothing`;
  await sql`
    insert into alias_moves (model, alias, revision, version, at, by, reason, release_id)
    values ('visits', 'champion', ${to.revision}, ${to.version}, ${to.at}, 'test', 'test', ${to.release})`;
}

/** @returns plain id */
async function predict(of: { model?: string; version: number; at?: Date }): Promise<string> {
  const { model = 'visits', version, at = minute(60) } = of;
  const id = `${at
    .getTime()
    .toString(16)
    .padStart(12, '0')
    .replace(/(.{8})/, '$1-')}-7000-8000-${randomUUID().slice(-12)}`;
  await ensurePredictionPartitions(test.database.sql, [at.toISOString().slice(0, 10)]);
  await test.database.sql`
    insert into predictions (id, model, version, endpoint, features, output, mode, latency_microseconds, at)
    values (${id}, ${model}, ${version}, ${model}, '{}', '{}', 'live', 1, ${at})`;
  return id;
}

const aboutFile = (content: string) => fileLineage(test.database.orm, digest(content));
const aboutPrediction = (id: string) => predictionLineage(test.database.orm, id);

describe('from a prediction', () => {
  it('leads to its version, release, dataset version, source files and the versions it grew out of', async () => {
    await dataset('monday', ['a', 'b']);
    const first = await version({ artifact: 'one', dataset: 'monday' });
    const second = await version({ artifact: 'two', dataset: 'monday', warmStartedFrom: 'one' });
    const third = await version({ artifact: 'three', dataset: 'monday', warmStartedFrom: 'two' });
    const release = randomUUID();
    await promote({ version: third, at: AT, revision: 1, release });
    const id = await predict({ version: third });
    const lineage = predictionLineageSchema.parse(await aboutPrediction(id));
    expect(lineage).toMatchObject({
      prediction: `pred_${id}`,
      at: minute(60).toISOString(),
      model: 'visits',
      version: third,
      artifact: digest('three'),
      lineage: { kind: 'run', dataset: digest('monday') },
      release: `rel_${release}`,
      dataset: {
        digest: digest('monday'),
        pipeline: 'visits',
        asOf: AT.toISOString(),
        files: [
          { name: 'a.csv', bytes: 10, digest: digest('a') },
          { name: 'b.csv', bytes: 10, digest: digest('b') },
        ],
      },
      ancestors: [
        { model: 'visits', version: second, artifact: digest('two') },
        { model: 'visits', version: first, artifact: digest('one') },
      ],
    });
  });

  it('names the release that was live at its time, not the one that is now', async () => {
    await dataset('monday', []);
    const [one, two] = [randomUUID(), randomUUID()];
    await version({ artifact: 'one', dataset: 'monday' });
    await version({ artifact: 'two', dataset: 'monday' });
    await promote({ version: 1, at: minute(1), revision: 1, release: one });
    await promote({ version: 2, at: minute(10), revision: 2, release: two });
    await promote({ version: 1, at: minute(20), revision: 3, release: one });
    const releaseAt = async (version: number, at: number) =>
      (await aboutPrediction(await predict({ version, at: minute(at) }))).release;
    expect(await releaseAt(1, 5)).toBe(`rel_${one}`);
    expect(await releaseAt(2, 15)).toBe(`rel_${two}`);
    expect(await releaseAt(1, 25)).toBe(`rel_${one}`);
    // A replica that had not heard of the move yet.
    expect(await releaseAt(2, 21)).toBe(`rel_${two}`);
    expect(await releaseAt(2, 5)).toBeNull();
  });

  it('finds no data behind a version that was made elsewhere', async () => {
    await version({ artifact: 'foreign' });
    await expect(aboutPrediction(await predict({ version: 1 }))).resolves.toMatchObject({
      dataset: null,
      release: null,
      ancestors: [],
    });
  });

  it('takes the earliest version of its own model where others have the same bytes', async () => {
    await dataset('monday', []);
    await version({ model: 'another', artifact: 'one', dataset: 'monday' });
    await version({ artifact: 'one', dataset: 'monday' });
    await version({ artifact: 'one', dataset: 'monday' });
    await version({ artifact: 'two', dataset: 'monday', warmStartedFrom: 'one' });
    const { ancestors } = await aboutPrediction(await predict({ version: 3 }));
    expect(ancestors).toEqual([{ model: 'visits', version: 1, artifact: digest('one') }]);
  });

  it('ends where versions claim to have begun at each other', async () => {
    await dataset('monday', []);
    await version({ artifact: 'one', dataset: 'monday', warmStartedFrom: 'two' });
    await version({ artifact: 'two', dataset: 'monday', warmStartedFrom: 'one' });
    const { ancestors } = await aboutPrediction(await predict({ version: 2 }));
    expect(ancestors.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('that is not on record leads nowhere', async () => {
    await expect(aboutPrediction(randomUUID())).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('from a source file', () => {
  it('leads to the dataset versions made from it, the versions trained on these, and those that came down from them', async () => {
    await dataset('monday', ['a', 'b']);
    await dataset('tuesday', ['b', 'c']);
    await version({ artifact: 'one', dataset: 'monday' });
    await version({ artifact: 'two', dataset: 'tuesday', warmStartedFrom: 'one' });
    await version({ artifact: 'three', dataset: 'tuesday' });
    await version({ model: 'grandchild', artifact: 'four', warmStartedFrom: 'two' });
    const { sql } = test.database;
    await sql`insert into aliases (model, alias, version, revision, updated_at) values ('visits', 'champion', 2, 1, ${AT})`;
    const lineage = fileLineageSchema.parse(await aboutFile('a'));
    expect(lineage).toEqual({
      digest: digest('a'),
      names: ['a.csv'],
      datasets: [{ digest: digest('monday'), pipeline: 'visits', asOf: AT.toISOString() }],
      versions: [
        { model: 'grandchild', version: 1, inherited: true, aliases: [] },
        { model: 'visits', version: 1, inherited: false, aliases: [] },
        { model: 'visits', version: 2, inherited: true, aliases: ['champion'] },
      ],
    });
    const both = await aboutFile('b');
    expect(both.datasets).toHaveLength(2);
    // Trained on it as well as warm-started: it ate the file itself.
    expect(both.versions.filter(({ inherited }) => !inherited).map(({ version }) => version)).toEqual([
      1, 2, 3,
    ]);
  });

  it('ends where versions claim to have begun at each other', async () => {
    await dataset('monday', ['a']);
    await version({ artifact: 'one', dataset: 'monday', warmStartedFrom: 'two' });
    await version({ artifact: 'two', warmStartedFrom: 'one' });
    expect((await aboutFile('a')).versions).toMatchObject([{ inherited: false }, { inherited: true }]);
  });

  it('that gave rows which were there already is counted too, under all its names', async () => {
    await dataset('monday', ['a']);
    await dataset('monday', ['longer']);
    await version({ artifact: 'one', dataset: 'monday' });
    expect((await aboutFile('longer')).versions).toMatchObject([{ version: 1, inherited: false }]);
    const { dataset: made } = await aboutPrediction(await predict({ version: 1 }));
    expect(made?.files.map(({ name }) => name)).toEqual(['a.csv', 'longer.csv']);
  });

  it('that was never read leads nowhere', async () => {
    expect(await aboutFile('unknown')).toEqual({
      digest: digest('unknown'),
      names: [],
      datasets: [],
      versions: [],
    });
  });
});
