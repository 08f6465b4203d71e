import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckName } from '@perennial/contract';
import { buildDataset, readSplit } from '@perennial/data';
import { binary, categorical, definePipeline, json, mlp, notWorse, numeric } from '@perennial/pipeline';
import { FileArtifactStore } from '@perennial/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from './statistics/random.ts';
import { startInProcess } from './testing/in-process-server.ts';
import { BINARY_LABEL, linearArtifact, slowedArtifact } from './testing/linear-artifact.ts';
import { nextNormal } from './testing/simulated-models.ts';
import { validate } from './validate.ts';
import type { ModelFile, ValidationInput, ValidationResult } from './validation-input.ts';

const ROWS_PER_DAY = 3_000;
const CARRIERS = ['AA', 'DL', 'WN', 'HA'];
const ORIGINS = ['ATL', 'LAX', 'ORD', 'DFW', 'DEN'];
const COLUMNS = ['distance', 'wind', 'wind_at_ord', 'gate_hour', 'hint'];

/** One flight: what delays it is wind, and the hour a little; `hint` is nothing to do with it. */
interface Flight {
  distance: number;
  wind: number;
  wind_at_ord: number;
  gate_hour: number;
  hint: number;
  carrier: string;
  origin: string;
  delay: number;
}

function flight(random: RandomStream): Flight {
  const pick = (values: string[]): string => values[Math.floor(random.nextFraction() * values.length)]!;
  const origin = pick(ORIGINS);
  const wind = nextNormal(random);
  const hour = nextNormal(random);
  return {
    distance: Math.round(700 * Math.exp(0.5 * nextNormal(random))),
    wind,
    wind_at_ord: origin === 'ORD' ? wind : 0,
    gate_hour: hour,
    hint: nextNormal(random),
    carrier: pick(CARRIERS),
    origin,
    delay: wind + 0.5 * hour + nextNormal(random),
  };
}

/** Days of flights from 1 January 2001, each as its day would have been without a fault, and then changed. */
function source(name: string, change: (flights: Flight[], random: RandomStream) => Flight[]): string {
  const random = new RandomStream(['planted faults', name]);
  const flights = change(
    Array.from({ length: 4 * ROWS_PER_DAY }, () => flight(random)),
    random,
  );
  return flights
    .map((row, index) => {
      const day = 1 + Math.floor(index / ROWS_PER_DAY);
      return JSON.stringify({ date: `2001-01-0${day}T12:00:00`, number: `${name}-${index}`, ...row });
    })
    .join('\n');
}

const { spec } = definePipeline({
  name: 'flight-delay',
  data: {
    source: json('flights.json'),
    time: 'date',
    key: 'number',
    window: { train: '2d', validation: '1d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 0.5' }),
  features: {
    distance: numeric({ scale: 'none' }),
    wind: numeric({ scale: 'none' }),
    wind_at_ord: numeric({ scale: 'none' }),
    gate_hour: numeric({ scale: 'none' }),
    hint: numeric({ scale: 'none' }),
    carrier: categorical({ minCount: 10 }),
  },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }), slices: ['origin'] },
});

type Dataset = Pick<
  ValidationInput,
  'spec' | 'manifest' | 'datasetDigest' | 'card' | 'testFile' | 'trainFile'
>;

let folder: string;
let yesterday: Dataset;
let champion: NonNullable<ValidationInput['champion']>;

async function build(
  name: string,
  change: (flights: Flight[], random: RandomStream) => Flight[] = (flights) => flights,
): Promise<Dataset> {
  const place = join(folder, name);
  await mkdir(place);
  await writeFile(join(place, 'flights.json'), source(name, change));
  const artifacts = await FileArtifactStore.open({ folder: join(folder, 'artifacts') });
  const { digest, manifest, card } = await buildDataset({
    spec,
    folder: place,
    asOf: new Date('2001-01-05T00:00:00Z'),
    artifacts,
    workFolder: join(place, 'work'),
  });
  const [testFile, trainFile] = [
    await artifacts.fetchFile(manifest.splits.test.digest),
    await artifacts.fetchFile(manifest.splits.train.digest),
  ];
  return { spec, manifest, datasetDigest: digest, card, testFile, trainFile };
}

async function modelFile({ artifact, bytes }: { artifact: string; bytes: Uint8Array }): Promise<ModelFile> {
  const file = join(folder, `${artifact.slice(7)}.onnx`);
  await writeFile(file, bytes);
  return { artifact, bytes, file };
}

const linear = (weights: number[], bias = -0.5): Promise<ModelFile> =>
  modelFile(linearArtifact({ columns: COLUMNS, label: BINARY_LABEL, weights: [weights], bias: [bias] }));

/** A linear model fitted to the training rows: each column's covariance with the label by its variance, as the columns hang together little. */
async function fitted({ trainFile, manifest }: Dataset): Promise<ModelFile> {
  const sums = COLUMNS.map(() => ({ n: 0, x: 0, y: 0, xx: 0, xy: 0 }));
  for await (const { batch, labels } of readSplit({ file: trainFile, manifest })) {
    COLUMNS.forEach((name, column) => {
      const values = batch.columns[name] as Float64Array;
      const sum = sums[column]!;
      values.forEach((x, row) => {
        const y = Number(labels[row]);
        sum.n++;
        sum.x += x;
        sum.y += y;
        sum.xx += x * x;
        sum.xy += x * y;
      });
    });
  }
  return await linear(sums.map(({ n, x, y, xx, xy }) => (8 * (xy - (x * y) / n)) / (xx - (x * x) / n)));
}

async function examine(
  dataset: Dataset,
  candidate: ModelFile,
  parts: Partial<ValidationInput> = {},
): Promise<ValidationResult> {
  return await validate({
    ...dataset,
    candidate,
    champion,
    linear: null,
    goldenSets: [],
    seenFiles: [],
    lostSeenFiles: 0,
    wear: () => Promise.resolve({ comparison: 1 }),
    startServer: null,
    ...parts,
  });
}

function caughtBy({ report }: ValidationResult): CheckName[] {
  const failed = report.checks.filter(({ outcome, severity }) => outcome === 'fail' && severity === 'fail');
  return [...new Set(failed.map(({ name }) => name))];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-planted-'));
  yesterday = await build('yesterday');
  champion = { ...(await fitted(yesterday)), model: 'flight-delay', version: 7, card: yesterday.card };
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a day without a fault', () => {
  it('passes every check and the gate', async () => {
    const today = await build('today');
    const result = await examine(today, await fitted(today));
    expect(caughtBy(result)).toEqual([]);
    expect(result.report.verdict).toBe('pass');
    expect(result.worse).toBeNull();
  });
});

describe('a planted fault is caught by the check that is named for it:', () => {
  function expectCaught(result: ValidationResult, name: CheckName, says: RegExp): void {
    expect(caughtBy(result)).toContain(name);
    expect(result.report.verdict).toBe('fail');
    expect(result.report.explanation).toContain(`The check '${name}'`);
    expect(
      result.report.checks.find((check) => check.name === name && check.outcome === 'fail')!.explanation,
    ).toMatch(says);
    expect(result.worse!.reason).toMatch(says);
  }

  it('a feature that was made from the label', async () => {
    const today = await build('leak', (flights) => flights.map((row) => ({ ...row, hint: row.delay })));
    expectCaught(await examine(today, await fitted(today)), 'label-leak', /hint/);
  });

  it('labels that were shuffled', async () => {
    const today = await build('shuffled', (flights, random) => {
      const delays = flights.map(({ delay }) => ({ delay, place: random.nextFraction() }));
      delays.sort((a, b) => a.place - b.place);
      return flights.map((row, index) => ({ ...row, delay: delays[index]!.delay }));
    });
    expectCaught(await examine(today, await fitted(today)), 'better-than-constant', /not shown to be better/);
  });

  it('miles that became kilometres', async () => {
    const today = await build('kilometres', (flights) =>
      flights.map((row) => ({ ...row, distance: row.distance * 1.609344 })),
    );
    expectCaught(await examine(today, await fitted(today)), 'unit-change', /distance.*(mile|kilomet)/is);
  });

  it('a carrier whose rows were dropped', async () => {
    const today = await build('dropped', (flights) =>
      flights.map((row) => (row.carrier === 'HA' ? { ...row, carrier: 'AA' } : row)),
    );
    expectCaught(await examine(today, await fitted(today)), 'dropped-category', /HA/);
  });

  it('a candidate that returns constants', async () => {
    const constant = await linear([0, 0, 0, 0, 0]);
    expectCaught(await examine(yesterday, constant), 'constant-answers', /Every one of/);
  });

  it('a candidate that is better overall and bad on one airport', async () => {
    const elsewhere = await linear([0, 2, -4, 1, 0]);
    const blind = await linear([0, 0.3, 0, 0, 1]);
    const result = await examine(yesterday, elsewhere, { champion: { ...champion, ...blind } });
    expect(result.report.comparisons[0]!.verdict).toBe('pass');
    expectCaught(result, 'slices', /origin = ORD/);
  });

  it('a candidate that is five times slower', async () => {
    const weights = [[0, 2, 0, 1, 0]];
    const model = { columns: COLUMNS, label: BINARY_LABEL, weights, bias: [-0.5] };
    const result = await examine(yesterday, await modelFile(slowedArtifact(model)), {
      champion: { ...champion, ...(await modelFile(linearArtifact(model))) },
      startServer: startInProcess,
    });
    expect(result.report.comparisons[0]!.verdict).toBe('pass');
    expectCaught(result, 'served-latency', /times as long/);
  });
});
