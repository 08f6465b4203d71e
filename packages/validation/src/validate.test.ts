import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluationSchema, gateReportSchema, type PipelineSpec } from '@perennial/contract';
import { buildDataset } from '@perennial/data';
import { ArtifactInvalidError } from '@perennial/onnx';
import {
  binary,
  definePipeline,
  json,
  mlp,
  multiclass,
  notWorse,
  numeric,
  regression,
} from '@perennial/pipeline';
import { FileArtifactStore } from '@perennial/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArtifactUnfitError } from './errors.ts';
import { RandomStream } from './statistics/random.ts';
import { nextNormal } from './testing/simulated-models.ts';
import { BINARY_LABEL, linearArtifact, REGRESSION_LABEL } from './testing/linear-artifact.ts';
import { validate } from './validate.ts';
import type { ValidationInput } from './validation-input.ts';

const ROWS_PER_DAY = 2_000;
const ORIGINS = ['ORD', 'ATL', 'LAX'];

let folder: string;
let late: BuiltDataset;
let arrival: BuiltDataset;
let delay: BuiltDataset;

type BuiltDataset = Pick<
  ValidationInput,
  'spec' | 'manifest' | 'datasetDigest' | 'card' | 'testFile' | 'trainFile'
>;

/** Four days of rows whose delay is `x` and noise, and has nothing to do with `y`. */
function source(): string {
  const random = new RandomStream(['flights']);
  const lines = Array.from({ length: 4 * ROWS_PER_DAY }, (_, row) => {
    const day = 1 + Math.floor(row / ROWS_PER_DAY);
    const x = nextNormal(random);
    return JSON.stringify({
      date: `2001-01-0${day}T12:00:00`,
      x,
      y: nextNormal(random),
      origin: ORIGINS[row % 3],
      delay: x + nextNormal(random),
    });
  });
  return `${lines.join('\n')}\n`;
}

const COMMON = {
  name: 'flight-delay',
  data: { source: json('flights.json'), time: 'date', window: { train: '2d', validation: '1d', test: '1d' } },
  features: { x: numeric({ scale: 'none' }), y: numeric({ scale: 'none' }) },
  train: mlp(),
};
const SPECS = {
  binary: definePipeline({
    ...COMMON,
    label: binary('late', { from: 'delay > 0.5' }),
    validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }), slices: ['origin'] },
  }).spec,
  multiclass: definePipeline({
    ...COMMON,
    label: multiclass('arrival', {
      from: `CASE WHEN delay > 0.5 THEN 'late' WHEN delay < -0.5 THEN 'early' ELSE 'on time' END`,
    }),
    validate: { gate: notWorse({ metric: 'macroF1', margin: 0.02 }), slices: ['origin'] },
  }).spec,
  regression: definePipeline({
    ...COMMON,
    label: regression('delay', { from: 'delay' }),
    validate: { gate: notWorse({ metric: 'rmse', margin: 0.05 }), slices: ['origin'] },
  }).spec,
};

async function build(kind: keyof typeof SPECS): Promise<BuiltDataset> {
  const artifacts = await FileArtifactStore.open({ folder: join(folder, 'artifacts') });
  const { digest, manifest, card } = await buildDataset({
    spec: SPECS[kind],
    folder,
    asOf: new Date('2001-01-05T00:00:00Z'),
    artifacts,
    workFolder: join(folder, 'work'),
  });
  const testFile = await artifacts.fetchFile(manifest.splits.test.digest);
  const trainFile = await artifacts.fetchFile(manifest.splits.train.digest);
  return { spec: SPECS[kind], manifest, card, datasetDigest: digest, testFile, trainFile };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-validation-'));
  await writeFile(join(folder, 'flights.json'), source());
  late = await build('binary');
  arrival = await build('multiclass');
  delay = await build('regression');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const COLUMNS = ['x', 'y'];
const GOOD = linearArtifact({ columns: COLUMNS, label: BINARY_LABEL, weights: [[1, 0]], bias: [-0.5] });
const NOISY = linearArtifact({ columns: COLUMNS, label: BINARY_LABEL, weights: [[1, 1]], bias: [-0.5] });
type Artifact = ReturnType<typeof linearArtifact>;
/** No test here serves it, so that its file need not be there. */
const modelFile = (artifact: Artifact) => ({ ...artifact, file: '/nowhere/model.onnx' });
const version = (version: number, artifact: Artifact, card = late.card) => ({
  model: 'flight-delay',
  version,
  card,
  ...modelFile(artifact),
});

type Parts = Partial<Omit<ValidationInput, 'candidate'>> & { candidate: Artifact };
/** A first question on the test rows, whatever it is. */
function input(parts: Parts): ValidationInput {
  return {
    ...late,
    champion: null,
    linear: null,
    goldenSets: [],
    seenFiles: [],
    lostSeenFiles: 0,
    wear: () => Promise.resolve({ comparison: 1 }),
    startServer: null,
    ...parts,
    candidate: modelFile(parts.candidate),
  };
}
const changed = (spec: PipelineSpec, validate: Partial<PipelineSpec['validate']>): PipelineSpec => ({
  ...spec,
  validate: { ...spec.validate, ...validate },
});

describe('validate', () => {
  it('evaluates a first candidate, overall and per slice, and finds no baseline', async () => {
    const { evaluation, championEvaluation, report } = await validate(input({ candidate: GOOD }));
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(gateReportSchema.parse(report)).toEqual(report);
    expect(report.verdict).toBe('no-baseline');
    expect(championEvaluation).toBeNull();
    expect(evaluation).toMatchObject({
      artifact: GOOD.artifact,
      dataset: late.datasetDigest,
      split: 'test',
      rows: ROWS_PER_DAY,
    });
    // x against x + noise > 0.5: about 0.83, and slices that have nothing to do with it.
    expect(evaluation.metrics.auc).toBeGreaterThan(0.8);
    expect(evaluation.metrics.auc).toBeLessThan(0.86);
    expect(evaluation.intervals.auc!.low).toBeLessThan(evaluation.metrics.auc!);
    expect(evaluation.intervals.auc!.high).toBeGreaterThan(evaluation.metrics.auc!);
    expect(evaluation.meanLabel).toBeCloseTo(0.36, 1);
    expect(new Set(evaluation.slices.map(({ slice }) => slice['origin']))).toEqual(new Set(ORIGINS));
    expect(evaluation.slices.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS_PER_DAY);
    for (const slice of evaluation.slices) expect(slice.metrics.auc).toBeGreaterThan(0.75);
  });

  it('passes a candidate that is better than the champion on the same rows', async () => {
    const { evaluation, championEvaluation, report } = await validate(
      input({ candidate: GOOD, champion: version(3, NOISY) }),
    );
    expect(report.verdict).toBe('pass');
    const [comparison] = report.comparisons;
    expect(comparison!.difference!.interval.low).toBeGreaterThan(0);
    expect(comparison!.candidate).toBe(evaluation.metrics.auc);
    expect(comparison!.champion).toBe(championEvaluation!.metrics.auc);
    expect(championEvaluation!.artifact).toBe(NOISY.artifact);
    expect(championEvaluation!.intervals.auc).toBeDefined();
  });

  it('fails a candidate that is worse, and says so in a sentence', async () => {
    const { report } = await validate(input({ candidate: NOISY, champion: version(3, GOOD) }));
    expect(report.verdict).toBe('fail');
    expect(report.explanation).toMatch(
      /^On 2,000 test rows the candidate's AUC is .* worse than the champion's/,
    );
  });

  it('passes the champion against itself with a difference of 0', async () => {
    const { report } = await validate(input({ candidate: GOOD, champion: version(3, GOOD) }));
    expect(report).toMatchObject({ verdict: 'pass', comparisons: [{ difference: { value: 0 } }] });
  });

  it('compares regressions by their error', async () => {
    const model = (y: number) =>
      linearArtifact({ columns: COLUMNS, label: REGRESSION_LABEL, weights: [[1, y]] });
    const { evaluation, report } = await validate(
      input({ ...delay, candidate: model(0), champion: version(3, model(0.5)) }),
    );
    expect(report.verdict).toBe('pass');
    expect(evaluation.metrics.rmse).toBeCloseTo(1, 1);
    expect(evaluation.metrics.r2).toBeCloseTo(0.5, 1);
    expect(evaluation.meanPrediction).toBeCloseTo(evaluation.meanLabel!, 1);
  });

  it('compares classifiers of many classes, each by the classes it was trained on', async () => {
    const model = (classes: string[], bias: number[]) =>
      linearArtifact({
        columns: COLUMNS,
        label: { kind: 'multiclass', name: 'arrival', classes },
        weights: classes.map((name) => [{ early: -3, late: 3 }[name] ?? 0, 0]),
        bias,
      });
    const candidate = model(['early', 'late', 'on time'], [0, 0, 0]);
    // A champion of a time when no flight was early: it never says so, and gives what is early no probability.
    const champion = model(['late', 'on time'], [0, 0]);
    const { evaluation, championEvaluation, report } = await validate(
      input({ ...arrival, candidate, champion: version(3, champion) }),
    );
    expect(report.verdict).toBe('pass');
    expect(report.explanation).toContain("the candidate's macro F1 is");
    expect(evaluation.metrics.accuracy).toBeGreaterThan(0.5);
    expect(evaluation.metrics.macroF1).toBeGreaterThan(championEvaluation!.metrics.macroF1!);
    expect(championEvaluation!.metrics.logLoss).toBeGreaterThan(5);
    expect(evaluation).toMatchObject({ meanPrediction: null, meanLabel: null });
  });

  it('answers the same for the same input, and tells how far it is', async () => {
    const done: number[] = [];
    const question = input({ candidate: GOOD, champion: version(3, NOISY) });
    const first = await validate({ ...question, onProgress: (share) => done.push(share) });
    expect(await validate(question)).toEqual(first);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done[0]).toBeGreaterThan(0);
    expect(done.at(-1)).toBeLessThanOrEqual(1);
  });

  it('stops when asked', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(validate(input({ candidate: GOOD, signal }))).rejects.toThrow('enough');
  });
});

describe('what a candidate is examined for beside the comparison', () => {
  const worse = () => input({ candidate: NOISY, champion: version(3, GOOD) });

  it('puts the question on the ledger before it is answered, by the artifacts and the test split', async () => {
    const asked: unknown[] = [];
    const { report } = await validate({
      ...worse(),
      wear: (question) => {
        asked.push(question);
        return Promise.resolve({ comparison: 2 });
      },
    });
    const split = late.manifest.splits.test.digest;
    expect(asked).toEqual([{ split, candidate: NOISY.artifact, champion: GOOD.artifact }]);
    expect(report.testSet).toMatchObject({ split, comparison: 2, left: 8 });
    expect(report.explanation).toContain('These test rows were asked about 1 candidate before');
  });

  it('tells neither differences nor slices of test rows that are worn out', async () => {
    const { report, worse: reason } = await validate({
      ...worse(),
      wear: () => Promise.resolve({ comparison: 11 }),
    });
    expect(report).toMatchObject({
      verdict: 'inconclusive',
      comparisons: [{ difference: null, pValue: null }],
      slices: { compared: 0, worst: [] },
      testSet: { left: 0 },
    });
    expect(report.explanation).toContain('fresh test rows are needed');
    expect(reason).toBeNull();
  });

  it('leaves out test rows that a model was trained on, and decides nothing where none is left', async () => {
    const seen = await validate({ ...worse(), seenFiles: [late.testFile] });
    expect(seen.report).toMatchObject({ verdict: 'inconclusive', rows: 0, seenRows: ROWS_PER_DAY });
    expect(seen.evaluation).toMatchObject({ rows: 0, metrics: { auc: null } });
    expect(seen.report.explanation).toContain('All 2,000 test rows were among the rows');
    const first = await validate(input({ candidate: GOOD, seenFiles: [late.testFile], lostSeenFiles: 2 }));
    expect(first.report.verdict).toBe('inconclusive');
    expect(first.report.explanation).toContain('2 training splits of earlier versions are no longer kept');
  });

  it('holds a first candidate to its floors', async () => {
    const floor = { kind: 'atLeast', measure: 'auc', value: 0.9 } as const;
    const spec = changed(late.spec, { gate: { ...late.spec.validate.gate, limits: [floor] } });
    const { report, worse: reason } = await validate(input({ spec, candidate: GOOD }));
    expect(report.verdict).toBe('fail');
    expect(report.checks.find(({ name }) => name === 'limit')).toMatchObject({ outcome: 'fail', limit: 0.9 });
    expect(reason!.reason).toMatch(
      /^The check 'limit' \(Absolute floors and ceilings\) failed\. The candidate's AUC is 0\.8/,
    );
  });

  it('leaves the verdict open where a ceiling asks for what was not measured', async () => {
    const ceiling = { kind: 'atMost', measure: 'p99Milliseconds', value: 5 } as const;
    const spec = changed(late.spec, { gate: { ...late.spec.validate.gate, limits: [ceiling] } });
    const { report } = await validate(input({ spec, candidate: GOOD, champion: version(3, NOISY) }));
    expect(report.verdict).toBe('inconclusive');
    expect(report.explanation).toContain('could not be measured');
  });

  it('gives checks the severity that the author says, and does not run those that are off', async () => {
    const spec = changed(late.spec, { checks: { slices: 'report', 'missing-values': 'off' } });
    const { report } = await validate({ ...worse(), spec });
    const severities = new Map(report.checks.map(({ name, severity }) => [name, severity]));
    expect(severities.get('slices')).toBe('report');
    expect(severities.has('missing-values')).toBe(false);
    expect(severities.get('constant-answers')).toBe('fail');
    expect(report.slices).toMatchObject({ compared: 3 });
  });

  it('scores the baselines beside the candidate, and says what matters to it', async () => {
    const { baselines, importance } = await validate(input({ candidate: GOOD, linear: NOISY }));
    expect(baselines.map(({ name }) => name)).toEqual(['constant', 'linear']);
    expect(baselines[0]!.metrics.auc).toBe(0.5);
    expect(baselines[1]!.metrics.auc).toBeGreaterThan(0.6);
    expect(importance[0]).toMatchObject({ feature: 'x' });
    expect(importance[0]!.value).toBeGreaterThan(0.2);
  });

  it('asks every golden set, with its own margin and limits', async () => {
    const goldenSet = (parts: object) => ({
      spec: { name: 'old-days', dataset: late.datasetDigest, limits: [], ...parts },
      manifest: late.manifest,
      testFile: late.testFile,
    });
    const ask = async (candidate: Artifact, parts: object) =>
      (await validate(input({ candidate, champion: version(3, GOOD), goldenSets: [goldenSet(parts)] })))
        .report;
    const golden = (report: Awaited<ReturnType<typeof ask>>) =>
      report.checks.filter(({ name }) => name === 'golden-set');

    const failed = await ask(NOISY, {});
    expect(golden(failed)).toMatchObject([{ subject: 'old-days', outcome: 'fail' }]);
    expect(failed.explanation).toContain("On the golden set 'old-days': the candidate is clearly worse");
    const floor = { kind: 'atLeast', measure: 'auc', value: 0.8 };
    const held = await ask(NOISY, { margin: 0.3, limits: [floor] });
    expect(golden(held).map(({ outcome }) => outcome)).toEqual(['pass', 'fail']);
    const open = await ask(NOISY, { margin: 0.095 });
    expect(golden(open)).toMatchObject([{ outcome: 'skipped' }]);
    expect(golden(await ask(GOOD, {}))).toMatchObject([{ outcome: 'pass' }]);
  });

  it('leaves the verdict open where a golden set cannot tell, and compares none without a champion', async () => {
    const manifest = { ...late.manifest, label: delay.manifest.label };
    const spec = { name: 'old-days', dataset: delay.datasetDigest, limits: [] };
    const stranger = { spec, manifest, testFile: delay.testFile };
    const unfit = await validate(input({ candidate: GOOD, goldenSets: [stranger] }));
    expect(unfit.report.verdict).toBe('fail');
    expect(unfit.report.explanation).toContain(
      'the candidate cannot answer: it answers as a binary model where the label is regression',
    );
    const own = {
      spec: { ...spec, dataset: late.datasetDigest },
      manifest: late.manifest,
      testFile: late.testFile,
    };
    const first = await validate(input({ candidate: GOOD, goldenSets: [own] }));
    expect(first.report.verdict).toBe('no-baseline');
    const carrier = linearArtifact({ columns: ['x', 'carrier'], label: BINARY_LABEL, weights: [[1, 1]] });
    const lost = await validate(input({ candidate: GOOD, champion: version(3, carrier), goldenSets: [own] }));
    expect(lost.report.verdict).toBe('inconclusive');
    expect(lost.report.explanation).toContain("On the golden set 'old-days': the champion cannot answer");
  });
});

describe('artifacts that are not fit', () => {
  it('end the validation where they are the candidate', async () => {
    const unbounded = linearArtifact({ columns: COLUMNS, label: BINARY_LABEL, weights: [[Number.NaN, 0]] });
    await expect(validate(input({ candidate: unbounded }))).rejects.toThrow(ArtifactUnfitError);
    const bytes = new TextEncoder().encode('no model');
    await expect(validate(input({ candidate: { ...GOOD, bytes } }))).rejects.toThrow(ArtifactInvalidError);
  });

  it('leave the verdict open where they are the champion, and never let the candidate pass for want of a baseline', async () => {
    const carrier = linearArtifact({ columns: ['x', 'carrier'], label: BINARY_LABEL, weights: [[1, 1]] });
    const lost = await validate(input({ candidate: GOOD, champion: version(3, carrier) }));
    expect(lost.report.verdict).toBe('inconclusive');
    expect(lost.report.explanation).toContain(
      "it needs the column 'carrier', which the dataset does not have",
    );
    expect(lost.report.champion).toMatchObject({ version: 3, artifact: carrier.artifact });
    expect(lost.championEvaluation).toBeNull();
    expect(lost.evaluation.metrics.auc).toBeGreaterThan(0.8);

    const bytes = new TextEncoder().encode('no model');
    const broken = await validate(input({ candidate: GOOD, champion: { ...version(3, NOISY), bytes } }));
    expect(broken.report.verdict).toBe('inconclusive');
    expect(broken.report.explanation).toContain('it does not run');
  });
});
