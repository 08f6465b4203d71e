import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  PARITY_TOLERANCE,
  trainingResultSchema,
  type Digest,
  type TrainingProgress,
} from '@perennial/contract';
import { readSplit } from '@perennial/data';
import { InferenceModel, readArtifact } from '@perennial/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BackendUnavailableError,
  NetworkShapeError,
  ReportedError,
  TrainFunctionError,
  TrainingFailedError,
  UnsupportedLayerError,
} from './errors.ts';
import { CODE, Flights } from './testing/flights.ts';
import { train } from './train.ts';

let flights: Flights;
beforeAll(async () => {
  flights = await Flights.create();
});
afterAll(() => flights.remove());

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const GOOD_NETWORK = `({ tf, inputs, embeddings, outputs }) => {
  const parts = embeddings.map(({ feature, size, dimension }) =>
    tf.layers.flatten().apply(tf.layers.embedding({ inputDim: size, outputDim: dimension }).apply(inputs[feature])));
  const all = tf.layers.concatenate().apply([inputs.dense, ...parts]);
  const hidden = tf.layers.dropout({ rate: 0.3 }).apply(tf.layers.layerNormalization().apply(tf.layers.dense({ units: 6, activation: 'swish' }).apply(all)));
  return tf.model({ inputs: Object.values(inputs), outputs: tf.layers.dense({ units: outputs, activation: 'sigmoid' }).apply(hidden) });
}`;

describe('training', () => {
  it('writes an artifact that answers raw rows, and says how it came about', async () => {
    const job = flights.job();
    const progress: TrainingProgress[] = [];
    const { result, outputFile } = await train(job, { onProgress: (step) => progress.push(step) });
    const bytes = await readFile(outputFile);
    const whole = { ...result, artifact: digestOf(bytes), bytes: bytes.length };
    expect(trainingResultSchema.parse(whole)).toEqual(whole);
    expect(result.parity?.rows).toBe(1000);
    expect(result.parity?.maxDifference).toBeLessThanOrEqual(PARITY_TOLERANCE);
    expect(result.epochs.at(-1)!.validationLoss).toBeLessThan(result.epochs[0]!.validationLoss!);
    expect(result.warmStart).toEqual({ note: 'fresh weights from seed 1, as there is no champion yet' });
    expect(progress[0]).toMatchObject({
      type: 'started',
      rows: 800,
      epochs: 2,
      parameters: result.parameters,
    });
    expect(progress.filter(({ type }) => type === 'epoch')).toHaveLength(2);
    expect(readArtifact(bytes).properties).toMatchObject({
      pipeline: 'flights',
      dataset: job.datasetDigest,
      code: CODE,
      seed: '1',
    });
    expect(existsSync(`${outputFile}.partial`)).toBe(false);
    await answersValidationRows(bytes, job.files.validation);
  });

  it('writes the same bytes for the same job, each time in another process', async () => {
    const artifacts = [];
    for (const _ of [1, 2]) artifacts.push(await readFile((await train(flights.job())).outputFile));
    expect(digestOf(artifacts[0]!)).toBe(digestOf(artifacts[1]!));
    const other = await train(flights.job({ train: { seed: 2 } }));
    expect(digestOf(await readFile(other.outputFile))).not.toBe(digestOf(artifacts[0]!));
  });

  it('begins at the champion where there is one, with the passes that are for that', async () => {
    const champion = await train(flights.job({ train: { epochs: 3 } }));
    const bytes = await readFile(champion.outputFile);
    const digest = digestOf(bytes);
    const { result } = await train(flights.job({ warmStart: { digest, bytes } }));
    expect(result.warmStart).toEqual({ from: digest, note: "all weights are the champion's" });
    expect(result.epochs).toHaveLength(1);
    expect(result.epochs[0]!.loss).toBeLessThan(champion.result.epochs[0]!.loss);
    const fromFile = await train(flights.job({ warmStart: { digest, file: champion.outputFile } }));
    expect(fromFile.result.epochs).toEqual(result.epochs);
  });

  it.each(['temperature', 'isotonic'] as const)(
    'calibrates by %s in the same file, which a warm start begins at as at any other',
    async (calibration) => {
      const champion = await train(flights.job({ train: { calibration } }));
      const { result, outputFile } = champion;
      const plain = await train(flights.job());
      const bytes = await readFile(outputFile);
      const artifact = readArtifact(bytes);
      expect(result.calibration?.method).toBe(calibration);
      expect(result.calibration!.logLoss.after).toBeLessThan(result.calibration!.logLoss.before);
      expect(artifact.calibration?.method).toBe(calibration);
      expect(artifact.weights).toEqual(readArtifact(await readFile(plain.outputFile)).weights);
      expect(result.parity?.maxDifference).toBeLessThanOrEqual(PARITY_TOLERANCE);
      const digest = digestOf(bytes);
      const next = await train(flights.job({ warmStart: { digest, bytes }, train: { calibration } }));
      expect(next.result.warmStart).toEqual({ from: digest, note: "all weights are the champion's" });
    },
  );

  it('leaves a linear baseline in a file of its own where the job names one', async () => {
    const linearFile = join(flights.folder, 'linear.onnx');
    const { result } = await train(flights.job({ linearFile }));
    expect(result.linear).toEqual({ file: linearFile });
    const bytes = await readFile(linearFile);
    expect(readArtifact(bytes).properties).toMatchObject({ pipeline: 'flights', baseline: 'linear' });
    await answersValidationRows(bytes, flights.job().files.validation);
    expect((await train(flights.job())).result.linear).toBeNull();
  });

  it("fits a network of the author's own, the same one again even where it sets no seeds", async () => {
    const trained = async () => train(await flights.customJob(GOOD_NETWORK));
    const [first, second] = [await trained(), await trained()];
    expect(first.result.architecture.join('\n')).toContain('layer normalization');
    expect(await readFile(first.outputFile)).toEqual(await readFile(second.outputFile));
  });
});

async function answersValidationRows(bytes: Uint8Array, file: string): Promise<void> {
  const served = await InferenceModel.load(bytes);
  const right: boolean[] = [];
  for await (const { batch, labels } of readSplit({ file, manifest: flights.dataset.manifest })) {
    const output = await served.run(batch);
    if (output.kind !== 'binary') throw new TypeError(`The label is binary, the output ${output.kind}.`);
    output.probability.forEach((p, i) => right.push(p >= 0.5 === (labels[i] === 1)));
  }
  await served.release();
  expect(right).toHaveLength(200);
  expect(right.filter(Boolean).length / right.length).toBeGreaterThan(0.6);
}

describe("a training that the author's function fails", () => {
  it('is told with the message and the stack of what was thrown', async () => {
    const job = await flights.customJob(
      `function buildIt() { throw new RangeError('no such layer today'); }`,
    );
    const failing = train(job);
    await expect(failing).rejects.toThrow(TrainFunctionError);
    await expect(failing).rejects.toThrow('no such layer today');
    const { trace } = (await failing.catch((error: unknown) => error)) as TrainFunctionError;
    expect(trace[0]).toContain('buildIt');
  });

  it('is refused before fitting where a layer cannot be exported, naming it', async () => {
    const progress: TrainingProgress[] = [];
    const job = await flights.customJob(`({ tf, inputs }) => tf.model({ inputs: inputs.dense, outputs:
      tf.layers.dense({ units: 1, activation: 'sigmoid' }).apply(tf.layers.gaussianNoise({ stddev: 1, name: 'noise' }).apply(inputs.dense)) })`);
    const failing = train(job, { onProgress: (step) => progress.push(step) });
    await expect(failing).rejects.toThrow(UnsupportedLayerError);
    await expect(failing).rejects.toMatchObject({ layer: 'noise', kind: 'GaussianNoise' });
    expect(progress).toEqual([]);
  });

  it('is refused where the output does not fit the label', async () => {
    const job = await flights.customJob(`({ tf, inputs }) => tf.model({ inputs: inputs.dense, outputs:
      tf.layers.dense({ units: 3, activation: 'softmax' }).apply(inputs.dense) })`);
    await expect(train(job)).rejects.toThrow(NetworkShapeError);
  });

  it('is refused where it returns no network', async () => {
    await expect(train(await flights.customJob('() => 7'))).rejects.toThrow(
      'it returned number and not a model',
    );
  });

  it('says so where the pipeline file is gone', async () => {
    const job = await flights.customJob(GOOD_NETWORK, {
      pipelineFile: join(flights.folder, 'gone.pipeline.mjs'),
    });
    const failing = train(job);
    await expect(failing).rejects.toThrow(ReportedError);
    await expect(failing).rejects.toMatchObject({ code: 'pipeline-invalid' });
  });
});

describe('a training process', () => {
  it('that dies fails the training with its exit code and its last lines', async () => {
    const job = await flights.customJob(
      `() => { console.log('about to go'); console.error('good bye'); process.exit(3); }`,
    );
    const lines: string[] = [];
    const failing = train(job, { onProgress: (step) => void (step.type === 'log' && lines.push(step.line)) });
    await expect(failing).rejects.toThrow(TrainingFailedError);
    await expect(failing).rejects.toMatchObject({
      code: 'training-failed',
      end: { exitCode: 3, signal: null },
    });
    const { end } = (await failing.catch((error: unknown) => error)) as TrainingFailedError;
    expect([...end.lastLines!].sort()).toEqual(['about to go', 'good bye']);
    expect(lines.sort()).toEqual(['about to go', 'good bye']);
  });

  it('that is killed fails the training with the signal', async () => {
    const failing = train(
      await flights.customJob(
        `() => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }`,
      ),
    );
    await expect(failing).rejects.toMatchObject({ end: { exitCode: null, signal: 'SIGKILL' } });
  });

  it('is killed when it takes longer than its timeout', async () => {
    const job = await flights.customJob('() => { for (;;); }', { train: { timeout: '3s' } });
    await expect(train(job)).rejects.toThrow('it was stopped after its timeout of 3 s');
  });

  it('is killed when it is aborted, and leaves no artifact', async () => {
    const job = flights.job({ train: { epochs: 1000 } });
    const controller = new AbortController();
    const reason = new Error('the run was cancelled');
    const failing = train(job, {
      signal: controller.signal,
      onProgress: ({ type }) => type === 'epoch' && controller.abort(reason),
    });
    await expect(failing).rejects.toBe(reason);
    expect(existsSync(job.outputFile)).toBe(false);
  });

  it('is not started for what is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(train(flights.job(), { signal })).rejects.toThrow('too late');
  });

  it('says which file it could not read', async () => {
    const files = { ...flights.job().files, train: join(flights.folder, 'not-there.parquet') };
    await expect(train(flights.job({ files }))).rejects.toThrow(ReportedError);
  });

  it('says which backend cannot be used, and why', async () => {
    const failing = train(flights.job({ backend: 'tfjs-node-gpu' }));
    await expect(failing).rejects.toThrow(BackendUnavailableError);
  });
});
