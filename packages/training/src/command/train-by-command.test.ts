import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  commandJobSchema,
  trainingResultSchema,
  type CommandTrainSpec,
  type TrainingProgress,
} from '@perennial/contract';
import { readSplit } from '@perennial/data';
import { InferenceModel, isAdopted } from '@perennial/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReportedError, TrainingFailedError } from '../errors.ts';
import { CODE, Flights } from '../testing/flights.ts';
import { train } from '../train.ts';
import type { CommandTrainingJob } from './job.ts';
import { trainByCommand, type CommandTrainOptions } from './train-by-command.ts';

let flights: Flights;
let jobs = 0;
beforeAll(async () => {
  flights = await Flights.create();
});
afterAll(() => flights.remove());

const ONNX = fileURLToPath(import.meta.resolve('@perennial/onnx'));

/** Beginning of a trainer in plain Node: reads its job. */
const READ_JOB = `import { readFileSync, writeFileSync } from 'node:fs';
const job = JSON.parse(readFileSync(process.env.PERENNIAL_JOB, 'utf8'));
`;

/** A trainer that knows without training: late is who flies from late airports. Writes through the package that the platform writes with. */
const GOOD_TRAINER = `${READ_JOB}
const { writeArtifact } = await import(${JSON.stringify(ONNX)});
console.log('training on ' + job.splits.train.rows + ' rows');
const encoder = {
  columns: job.columns.filter(({ name }) => name === 'origin'),
  features: [{ kind: 'categorical', name: 'origin', column: 'origin', vocabulary: ['ATL', 'DEN', 'JFK', 'LAX', 'ORD', 'SEA'], encoding: { kind: 'oneHot' } }],
};
const kernel = { shape: [8, 1], data: Float32Array.of(0, 0, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5) };
const layer = { name: 'out', inputs: ['dense'], kind: 'dense', kernel, activation: 'sigmoid' };
const network = { inputs: [{ name: 'dense', kind: 'dense', width: 8 }], layers: [layer], output: 'out' };
writeFileSync(job.output.model, writeArtifact({ encoder, network, label: { kind: 'binary', name: 'late', threshold: 0.5 }, properties: {} }));
`;

/** A job whose command is a Node program with this text. */
async function commandJob(
  program: string,
  options: Partial<CommandTrainSpec> = {},
): Promise<CommandTrainingJob> {
  jobs += 1;
  const workFolder = join(flights.folder, `command-${jobs}`);
  await mkdir(workFolder);
  await writeFile(join(flights.folder, `trainer-${jobs}.mjs`), program);
  const { manifest, datasetDigest, files } = flights.job();
  const spec: CommandTrainSpec = {
    kind: 'command',
    command: [process.execPath, `trainer-${jobs}.mjs`],
    environment: [],
    seed: 7,
    timeout: '1m',
    ...options,
  };
  const window = { train: '4d', validation: '1d', test: '1d' };
  const outputFile = join(workFolder, 'artifact.onnx');
  return {
    manifest,
    datasetDigest,
    files,
    spec,
    window,
    pipelineFolder: flights.folder,
    workFolder,
    outputFile,
  };
}

function failureOf(job: CommandTrainingJob, options?: CommandTrainOptions): Promise<Error> {
  return trainByCommand(job, options).then(
    () => {
      throw new TypeError('The training did not fail.');
    },
    (error: Error) => error,
  );
}

describe('a training by a command', () => {
  it('makes an artifact of the model that the command leaves, and shows what it says', async () => {
    const job = await commandJob(GOOD_TRAINER);
    const progress: TrainingProgress[] = [];
    const { result, outputFile } = await trainByCommand(job, { onProgress: (step) => progress.push(step) });
    expect(progress).toContainEqual({ type: 'log', line: 'training on 800 rows' });
    const bytes = await readFile(outputFile);
    expect(trainingResultSchema.parse({ ...result, artifact: CODE, bytes: bytes.length })).toMatchObject({
      backend: 'command',
      parity: null,
      calibration: null,
      linear: null,
      epochs: [],
      parameters: null,
      seed: 7,
    });
    expect(result.architecture).toContain('Sigmoid');
    expect(isAdopted(bytes)).toBe(true);
    const model = await InferenceModel.load(bytes);
    expect(model.signature.inputs).toEqual([{ name: 'origin', type: 'text' }]);
    const right: boolean[] = [];
    for await (const { batch, labels } of readSplit({ file: job.files.validation, manifest: job.manifest })) {
      const output = await model.run(batch);
      if (output.kind === 'binary') output.decision.forEach((late, i) => right.push(late === labels[i]));
    }
    await model.release();
    expect(right.filter(Boolean).length / right.length).toBeGreaterThan(0.7);
  });

  it('is no start for a network, which then begins afresh and says so', async () => {
    const { outputFile } = await trainByCommand(await commandJob(GOOD_TRAINER));
    const { result } = await train(flights.job({ warmStart: { digest: CODE, file: outputFile } }));
    expect(result.warmStart).toEqual({
      note: 'fresh weights from seed 1, as a command trained the champion',
    });
  });

  it('tells the command all it needs, in a file of the documented schema', async () => {
    const job = await commandJob(`${READ_JOB}console.log(JSON.stringify(job)); process.exit(9);`);
    const lines: string[] = [];
    const onProgress = (step: TrainingProgress) => void (step.type === 'log' && lines.push(step.line));
    await failureOf(job, { onProgress });
    const told = commandJobSchema.parse(JSON.parse(lines.join('')));
    expect(told).toMatchObject({
      format: 1,
      pipeline: 'flights',
      dataset: job.datasetDigest,
      splits: {
        train: { path: join(job.workFolder, 'command', 'train.parquet'), rows: 800 },
        validation: { rows: 200 },
      },
      columns: job.manifest.encoder.columns,
      label: { kind: 'binary', name: 'late', column: '__label' },
      seed: 7,
    });
  });

  it('runs without a shell in the folder of the pipeline', async () => {
    const job = await commandJob(`console.log(process.cwd(), process.argv[2]); process.exit(1);`);
    job.spec.command.push('$HOME;`id`');
    const { end } = (await failureOf(job)) as TrainingFailedError;
    expect(end.lastLines).toEqual([`${flights.folder} $HOME;\`id\``]);
  });

  it('shows the command the variables that its pipeline names, and few others', async () => {
    const job = await commandJob(`console.log(Object.keys(process.env).sort().join()); process.exit(1);`, {
      environment: ['WEIGHTS_TOKEN', 'NOT_SET'],
    });
    const environment = {
      ...{ PATH: '/bin', HOME: '/root', LANG: 'C', WEIGHTS_TOKEN: 'w', DATABASE_URL: 'postgres://secret' },
      ...{ S3_SECRET_KEY: 's', PERENNIAL_ADMIN_TOKEN: 't', CUDA_VISIBLE_DEVICES: '0' },
    };
    const { end } = (await failureOf(job, { environment })) as TrainingFailedError;
    expect(end.lastLines).toEqual(['HOME,LANG,PATH,PERENNIAL_JOB,WEIGHTS_TOKEN']);
  });
});

describe('a command that fails', () => {
  it('fails the training with its exit code and its last lines', async () => {
    const job = await commandJob(
      `for (let i = 1; i <= 60; i++) console.log('line ' + i); process.exitCode = 3;`,
    );
    const error = (await failureOf(job)) as TrainingFailedError;
    expect(error).toBeInstanceOf(TrainingFailedError);
    expect(error.message).toBe('Training failed: the command ended with exit code 3.');
    expect(error.end).toMatchObject({ exitCode: 3, signal: null });
    expect(error.end.lastLines).toHaveLength(50);
    expect(error.end.lastLines?.at(-1)).toBe('line 60');
    expect(existsSync(job.outputFile)).toBe(false);
  });

  it('says so where there is no such program', async () => {
    const job = await commandJob('', { command: ['no-such-program', 'train.py'] });
    expect((await failureOf(job)).message).toBe(
      "Training failed: the command 'no-such-program' could not be started (ENOENT).",
    );
  });

  it('says what was expected where it leaves no model, or an empty one, or a link', async () => {
    const none = await failureOf(await commandJob(''));
    expect(none).toBeInstanceOf(TrainingFailedError);
    expect(none.message).toContain('left no model.onnx; it is expected to write an ONNX model to the path');
    const empty = await failureOf(await commandJob(`${READ_JOB}writeFileSync(job.output.model, '');`));
    expect(empty.message).toContain('model.onnx that the command left is empty');
    const link = await failureOf(
      await commandJob(
        `${READ_JOB}import { symlinkSync } from 'node:fs'; symlinkSync('/etc/hosts', job.output.model);`,
      ),
    );
    expect(link.message).toContain('model.onnx that the command left is no file');
  });

  it('takes no model of an earlier try for its own', async () => {
    const job = await commandJob(GOOD_TRAINER);
    await trainByCommand(job);
    await writeFile(join(flights.folder, `trainer-${jobs}.mjs`), '');
    expect((await failureOf(job)).message).toContain('left no model.onnx');
  });

  it('is told why its model does not do', async () => {
    const garbage = await failureOf(
      await commandJob(`${READ_JOB}writeFileSync(job.output.model, 'PK, a pickle');`),
    );
    expect(garbage).toBeInstanceOf(ReportedError);
    expect(garbage).toMatchObject({ code: 'artifact-invalid' });
    expect(garbage.message).toContain('its bytes are not an ONNX file');
    const stranger = GOOD_TRAINER.replaceAll("'origin'", "'runway'").replace(
      "columns: job.columns.filter(({ name }) => name === 'runway')",
      "columns: [{ name: 'runway', type: 'text' }]",
    );
    expect((await failureOf(await commandJob(stranger))).message).toContain(
      "its only input 'runway' is string",
    );
  });
});

describe('a command that does not end', () => {
  /** A server that notices the end of the processes that connect to it. */
  async function doorbell(): Promise<{ port: number; rung: Promise<unknown>; allGone: () => Promise<void> }> {
    const server = createServer((socket) => {
      // A killed process may reset its connection, which is an end like any other here.
      socket.on('error', () => undefined);
      socket.resume();
    }).listen(0, '127.0.0.1');
    const rung = once(server, 'connection');
    await once(server, 'listening');
    const allGone = () => new Promise<void>((resolve) => server.close(() => resolve()));
    return { port: (server.address() as AddressInfo).port, rung, allGone };
  }

  /** Starts a process that will not be asked to end, says so once it is up, and does then what is given. */
  const lingering = (port: number, then = '') => `import { spawn } from 'node:child_process';
    const grandchild = "process.on('SIGTERM', () => {}); require('node:net').connect(${port}, '127.0.0.1', () => console.log('ready')); setInterval(() => {}, 1000);";
    const started = spawn(process.execPath, ['-e', grandchild], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.stdout.once('data', () => { console.log('ready'); ${then} });
    setInterval(() => {}, 1000);`;

  it('is stopped after its timeout with all that it started', async () => {
    const { port, allGone } = await doorbell();
    const error = await failureOf(await commandJob(lingering(port), { timeout: '3s' }));
    expect(error.message).toBe('Training failed: the command was stopped after its timeout of 3 s.');
    await allGone();
  });

  it('is stopped with all that it started when the run is cancelled', async () => {
    const { port, allGone } = await doorbell();
    const controller = new AbortController();
    const reason = new Error('the run was cancelled');
    const error = await failureOf(await commandJob(lingering(port)), {
      signal: controller.signal,
      onProgress: (step) => step.type === 'log' && controller.abort(reason),
    });
    expect(error).toBe(reason);
    await allGone();
  });

  it('is stopped with all that it started when the platform is killed', async () => {
    const { port, rung, allGone } = await doorbell();
    const jobFile = join(flights.folder, 'orphan-job.json');
    await writeFile(jobFile, JSON.stringify(await commandJob(lingering(port))));
    const script = `import { readFileSync } from 'node:fs';
      import { trainByCommand } from '@perennial/training';
      await trainByCommand(JSON.parse(readFileSync(${JSON.stringify(jobFile)}, 'utf8')));`;
    const platform = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: 'ignore',
    });
    await rung;
    platform.kill('SIGKILL');
    await expect(allGone()).resolves.toBeUndefined();
  });

  it('leaves nothing running when it ends itself', async () => {
    const { port, allGone } = await doorbell();
    const error = await failureOf(await commandJob(lingering(port, 'process.exit(4);')));
    expect(error.message).toContain('exit code 4');
    await allGone();
  });
});

describe('a model that a command left', () => {
  it('is stopped at its limit of time while it is tried', async () => {
    const job = await commandJob(GOOD_TRAINER);
    expect((await failureOf(job, { adoption: { milliseconds: 1 } })).message).toContain(
      'it was stopped after its timeout',
    );
  });

  it.skipIf(process.platform !== 'linux')('is stopped at its limit of memory while it is tried', async () => {
    const job = await commandJob(GOOD_TRAINER);
    const greedy = await failureOf(job, { adoption: { bytes: 1_000_000 } });
    expect(greedy.message).toBe('Training failed: it was stopped at its limit of 1 MiB of memory.');
  });
});

describe('the process that fits a network', () => {
  it('sees no secret of the platform', async () => {
    const job = await flights.customJob(
      `() => { console.log(Object.keys(process.env).filter((name) => name !== 'NODE_CHANNEL_FD').sort().join()); process.exit(3); }`,
    );
    const environment = {
      ...{
        PATH: '/bin',
        HOME: '/root',
        TMPDIR: '/tmp',
        TF_CPP_MIN_LOG_LEVEL: '2',
        CUDA_VISIBLE_DEVICES: '0',
      },
      ...{ DATABASE_URL: 'postgres://secret', S3_SECRET_KEY: 's', PERENNIAL_ADMIN_TOKEN: 't', EDITOR: 'vi' },
    };
    const failing = train(job, { environment });
    await expect(failing).rejects.toMatchObject({
      end: { lastLines: [expect.stringContaining('CUDA_VISIBLE_DEVICES')] },
    });
    const { end } = (await failing.catch((error: unknown) => error)) as TrainingFailedError;
    const seen = end.lastLines?.[0]?.split(',') ?? [];
    expect(seen).toEqual(expect.arrayContaining(['HOME', 'PATH', 'TF_CPP_MIN_LOG_LEVEL', 'TMPDIR']));
    for (const name of ['DATABASE_URL', 'S3_SECRET_KEY', 'PERENNIAL_ADMIN_TOKEN', 'EDITOR'])
      expect(seen).not.toContain(name);
  });
});
