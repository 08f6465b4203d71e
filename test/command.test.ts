import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchRun } from '@perennial/client';
import type { Run, TrainingResult } from '@perennial/contract';
import { NODE_TRAINER, PYTHON_TRAINER, scikitTrainer } from './harness/trainers.ts';
import { pipelineSource } from './harness/pipeline-source.ts';
import { runToEnd, startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { trainedCard } from './harness/trained-card.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 11, perDay: 300 });

/** A Python with packages for models: PERENNIAL_TEST_PYTHON, or the one on the path. */
const python = process.env['PERENNIAL_TEST_PYTHON'] ?? 'python3';
const FIND =
  'import sys; from importlib.util import find_spec; sys.exit(None in map(find_spec, sys.argv[1:]))';
const has = (...packages: string[]): boolean => spawnSync(python, ['-c', FIND, ...packages]).status === 0;
const hasOnnx = has('onnx');
const hasScikit = has('sklearn', 'skl2onnx', 'pyarrow', 'pandas');

/** A pipeline whose command is in a file beside it. */
function commandPipeline(name: string, { argv, trainer }: { argv: string[]; trainer: string }) {
  return {
    [`pipelines/${name}/pipeline.ts`]: pipelineSource({
      name,
      prelude: `import { command } from '@perennial/pipeline';`,
      train: `command(${JSON.stringify(argv)}, { timeout: '2m' })`,
    }),
    [`pipelines/${name}/${argv[1]}`]: trainer,
  };
}

const node = (name: string, trainer: string) =>
  commandPipeline(name, { argv: ['node', 'train.mjs'], trainer });

let test: TestPlatform;
beforeAll(async () => {
  const writeModel = `import { readFileSync, writeFileSync } from 'node:fs';
    const job = JSON.parse(readFileSync(process.env.PERENNIAL_JOB, 'utf8'));`;
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      ...node('visits', NODE_TRAINER),
      ...node('fails', `console.log('no GPU today'); process.exit(3);`),
      ...node('forgets', `console.log('done');`),
      ...node('pickles', `${writeModel} writeFileSync(job.output.model, 'a pickle');`),
      ...node('logits', NODE_TRAINER.replace("activation: 'sigmoid'", "activation: 'linear'")),
      ...node('lingers', `console.log('waiting'); setInterval(() => {}, 1000);`),
      ...commandPipeline('python', { argv: [python, 'train.py'], trainer: PYTHON_TRAINER }),
      ...commandPipeline('scikit', { argv: [python, 'train.py'], trainer: scikitTrainer() }),
    },
  });
});
afterAll(() => test.stop());

const training = (run: Run) =>
  run.steps.find((step) => step.name === 'training')?.output as unknown as TrainingResult;

async function predictions(model: string) {
  const instances = visits.slice(-40).map(features);
  const { predictions: answers } = await test.client.predict({ params: { model }, body: { instances } });
  return answers;
}

describe('a pipeline that trains by a command', () => {
  it('makes versions that are validated, registered and served as any other', async () => {
    const first = await test.run('visits', { asOf: '2024-03-10T00:00:00Z' });
    expect(first).toMatchObject({ state: 'succeeded', version: 1, verdict: 'no-baseline', error: null });
    const version = await test.client.getVersion({ params: { model: 'visits', version: 1 } });
    expect(version).toMatchObject({
      aliases: ['champion'],
      lineage: { backend: 'command', warmStartedFrom: null },
      signature: {
        inputs: [
          { name: 'country', type: 'text' },
          { name: 'pages', type: 'number' },
        ],
        output: { kind: 'binary', threshold: 0.5 },
      },
      card: { training: { backend: 'command', parity: null, spec: { command: ['node', 'train.mjs'] } } },
    });
    expect(trainedCard(version).evaluation.metrics.auc).toBeGreaterThan(0.75);
    const answers = await predictions('visits');
    expect(answers).toHaveLength(40);
    const card = await test.request('/v1/models/visits/versions/1/card', {
      headers: { accept: 'text/markdown' },
    });
    expect(await card.text()).toContain('| Command | node train.mjs |');

    const next = await test.run('visits', { asOf: '2024-03-11T00:00:00Z' });
    expect(next).toMatchObject({ state: 'succeeded', version: 2, verdict: 'pass' });
  });

  it('trains again where nothing that the platform knows has changed, and to the same bytes', async () => {
    const again = await test.run('visits', { asOf: '2024-03-11T00:00:00Z' });
    expect(again.steps.find(({ name }) => name === 'training')).toMatchObject({ state: 'succeeded' });
    expect(training(again).artifact).toMatch(/^sha256:/);
    const version = await test.client.getVersion({ params: { model: 'visits', version: 2 } });
    expect(training(again).artifact).toBe(version.artifact);
  });

  it('shows the lines that the command writes', async () => {
    const { id } = await test.client.startRun({
      params: { pipeline: 'visits' },
      body: { asOf: '2024-03-10T00:00:00Z' },
    });
    const lines: string[] = [];
    for await (const message of watchRun(test.client, id)) {
      if (message.type === 'progress') lines.push((message.data as { message: string }).message);
    }
    expect(lines).toContain('fitting 2100 rows');
  });
});

describe('a run whose command', () => {
  it('ends with an error fails with its exit code and its last lines', async () => {
    const run = await test.run('fails', { asOf: '2024-03-10T00:00:00Z' });
    expect(run).toMatchObject({
      state: 'failed',
      version: null,
      error: { code: 'training-failed', details: { exitCode: 3, lastLines: ['no GPU today'] } },
    });
  });

  it('leaves no model fails, and says what is expected', async () => {
    const run = await test.run('forgets', { asOf: '2024-03-10T00:00:00Z' });
    expect(run.error?.message).toContain('left no model.onnx; it is expected to write an ONNX model');
  });

  it('leaves something else fails', async () => {
    const run = await test.run('pickles', { asOf: '2024-03-10T00:00:00Z' });
    expect(run.error).toMatchObject({ code: 'artifact-invalid' });
    expect(run.error?.message).toContain('its bytes are not an ONNX file');
  });

  it('leaves a model that answers no probabilities fails before it is registered', async () => {
    const run = await test.run('logits', { asOf: '2024-03-10T00:00:00Z' });
    expect(run).toMatchObject({ state: 'failed', version: null });
    expect(run.error?.message).toMatch(
      /it answers -?[\d.]+, which is no probability; the model must end in a sigmoid or softmax/,
    );
  });

  it('is still at work can be cancelled', async () => {
    const { id } = await test.client.startRun({
      params: { pipeline: 'lingers' },
      body: { asOf: '2024-03-10T00:00:00Z' },
    });
    for await (const message of watchRun(test.client, id)) {
      if (message.type === 'progress' && (message.data as { message: string }).message === 'waiting') break;
    }
    await test.client.cancelRun({ params: { run: id } });
    expect(await runToEnd(test.client, id)).toMatchObject({ state: 'cancelled', version: null });
  });
});

describe('a trainer in another language', () => {
  it.skipIf(!hasOnnx)('may be Python: its linear classifier takes the matrix of numbers', async () => {
    const run = await test.run('python', { asOf: '2024-03-10T00:00:00Z' });
    expect(run).toMatchObject({ state: 'succeeded', error: null });
    const version = await test.client.getVersion({ params: { model: 'python', version: 1 } });
    expect(version.signature.inputs).toEqual([{ name: 'pages', type: 'number' }]);
    expect(trainedCard(version).evaluation.metrics.auc).toBeGreaterThan(0.7);
    expect(trainedCard(version).training.architecture).toEqual(['LinearClassifier']);
  });

  it('may be scikit-learn, converted by skl2onnx', async ({ skip }) => {
    skip(!hasScikit, 'no scikit-learn, skl2onnx, pandas and pyarrow');
    const run = await test.run('scikit', { asOf: '2024-03-10T00:00:00Z' });
    expect(run).toMatchObject({ state: 'succeeded', error: null });
    const version = await test.client.getVersion({ params: { model: 'scikit', version: 1 } });
    expect(version.signature.inputs).toEqual([
      { name: 'country', type: 'text' },
      { name: 'pages', type: 'number' },
    ]);
    expect(trainedCard(version).evaluation.metrics.auc).toBeGreaterThan(0.75);
    expect(await predictions('scikit')).toHaveLength(40);
  });
});
