import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataCard, DatasetManifest, GateReport, ModelCard, Signature } from '@perennial/contract';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { saveDatasetVersion } from './datasets.ts';
import { fittedSplitsWithin } from './fitted-splits.ts';
import { insertModelVersion } from './model-versions.ts';
import { takeVersionNumber } from './models.ts';

const digest = (text: string): string => `sha256:${Buffer.from(text).toString('hex').padStart(64, '0')}`;
const AT = new Date('2001-04-01T00:00:00Z');
const day = (number: number): string => `2001-03-${String(number).padStart(2, '0')}T00:00:00.000Z`;

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  await register({ name: 'old', train: [1, 8], validation: [8, 9] });
  await register({ name: 'middle', train: [9, 16], validation: [16, 17], warmStartedFrom: 'old' });
  await register({ name: 'new', train: [17, 24], validation: [24, 25], warmStartedFrom: 'middle' });
  await register({ name: 'stranger', train: [1, 25], validation: [25, 26] });
});
afterAll(() => test.drop());

interface Made {
  name: string;
  /** First day, and the day after the last. */
  train: [number, number];
  validation: [number, number];
  warmStartedFrom?: string;
}

/** A version with a dataset of its own; only what the query reads is filled in. */
async function register({ name, train, validation, warmStartedFrom }: Made): Promise<void> {
  const db = test.database.orm;
  const split = (kind: string, [from, to]: [number, number]) => ({
    digest: digest(`${name} ${kind}`),
    rows: 1,
    bytes: 1,
    from: day(from),
    to: day(to),
  });
  const splits = { train: split('train', train), validation: split('validation', validation) };
  await saveDatasetVersion(db, {
    digest: digest(`${name} data`),
    asOf: AT,
    createdAt: AT,
    manifest: { pipeline: 'visits', splits } as DatasetManifest,
    card: { files: [] as DataCard['files'] } as DataCard,
  });
  const version = await takeVersionNumber(db, 'visits', AT);
  await insertModelVersion(db, {
    model: 'visits',
    version,
    runId: null,
    artifactDigest: digest(name),
    artifactBytes: 1,
    datasetDigest: digest(`${name} data`),
    signature: {} as Signature,
    lineage: {
      kind: 'run',
      run: 'run_1',
      pipeline: 'visits',
      codeDigest: digest('code'),
      dataset: digest(`${name} data`),
      warmStartedFrom: warmStartedFrom === undefined ? null : digest(warmStartedFrom),
      backend: 'cpu',
      device: 'cpu',
      seed: 1,
      platformVersion: '0.0.0',
    },
    gate: {} as GateReport,
    card: {} as ModelCard,
    asOf: AT,
    createdAt: AT,
  });
}

const within = (artifacts: string[], from: number, to: number) =>
  fittedSplitsWithin(test.database.orm, { artifacts: artifacts.map(digest), from: day(from), to: day(to) });
const named = (...names: string[]) => names.map(digest).sort();

describe('the splits that a model was fitted to', () => {
  it('are those of its own dataset that reach into the stretch', async () => {
    expect(await within(['stranger'], 20, 21)).toEqual(named('stranger train'));
    expect(await within(['stranger'], 24, 26)).toEqual(named('stranger train', 'stranger validation'));
  });

  it('and those of the versions whose weights it began at, however far back', async () => {
    expect(await within(['new'], 1, 31)).toEqual(
      named(
        'old train',
        'old validation',
        'middle train',
        'middle validation',
        'new train',
        'new validation',
      ),
    );
    expect(await within(['new'], 7, 10)).toEqual(named('old train', 'old validation', 'middle train'));
  });

  it('end before the instant that they say, and begin at it', async () => {
    expect(await within(['new'], 25, 26)).toEqual([]);
    expect(await within(['middle'], 16, 17)).toEqual(named('middle validation'));
  });

  it('are named once, whichever of several models saw them', async () => {
    expect(await within(['new', 'middle', 'new'], 9, 10)).toEqual(named('middle train'));
  });

  it('are none of an artifact that no version has', async () => {
    expect(await within(['unknown'], 1, 31)).toEqual([]);
    expect(await within([], 1, 31)).toEqual([]);
  });
});
