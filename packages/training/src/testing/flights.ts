import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Digest, LabelSpec, NetworkTrainSpec } from '@perennial/contract';
import { buildDataset, type BuiltDataset } from '@perennial/data';
import {
  binary,
  categorical,
  crossed,
  json,
  definePipeline,
  mlp,
  notWorse,
  numeric,
  timestamp,
} from '@perennial/pipeline';
import { FileArtifactStore } from '@perennial/storage';
import { RandomStream } from '../fit/random.ts';
import type { TrainingJob } from '../job.ts';

export const CODE: Digest = `sha256:${'c'.repeat(64)}`;

const AIRPORTS = ['ATL', 'DEN', 'JFK', 'LAX', 'ORD', 'SEA'];
const ROWS_A_DAY = 200;

/** A dataset version of made-up flights in a temporary folder, and jobs that train on it. */
export class Flights {
  readonly folder: string;
  readonly label: LabelSpec;
  readonly dataset: BuiltDataset;
  readonly #files: TrainingJob['files'];
  #jobs = 0;

  private constructor(parts: {
    folder: string;
    label: LabelSpec;
    dataset: BuiltDataset;
    files: TrainingJob['files'];
  }) {
    this.folder = parts.folder;
    this.label = parts.label;
    this.dataset = parts.dataset;
    this.#files = parts.files;
  }

  static async create(): Promise<Flights> {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-training-'));
    await writeFile(join(folder, 'flights.json'), jsonText());
    await installPipelinePackage(folder);
    const artifacts = await FileArtifactStore.open({ folder: join(folder, 'artifacts') });
    const dataset = await buildDataset({
      spec: pipeline.spec,
      folder,
      asOf: new Date('2001-01-07T03:00:00Z'),
      artifacts,
      workFolder: join(folder, 'work'),
      threads: 1,
    });
    const { train, validation } = dataset.manifest.splits;
    const files = {
      train: await artifacts.fetchFile(train.digest),
      validation: await artifacts.fetchFile(validation.digest),
    };
    return new Flights({ folder, label: pipeline.spec.label, dataset, files });
  }

  /** A job of this dataset; its output goes to a file of its own. */
  job(options: Partial<TrainingJob> & { train?: Partial<NetworkTrainSpec> } = {}): TrainingJob {
    const { train, ...rest } = options;
    this.#jobs += 1;
    return {
      manifest: this.dataset.manifest,
      datasetDigest: this.dataset.digest,
      files: this.#files,
      spec: { ...NETWORK, ...train } as NetworkTrainSpec,
      label: this.label,
      codeDigest: CODE,
      workFolder: this.folder,
      outputFile: join(this.folder, `model-${this.#jobs}.onnx`),
      ...rest,
    };
  }

  /** A job whose network is made by a function of the author's, given as the text of a function expression. */
  async customJob(build: string, options: Parameters<Flights['job']>[0] = {}): Promise<TrainingJob> {
    const pipelineFile = join(this.folder, `custom-${this.#jobs}.pipeline.mjs`);
    await writeFile(pipelineFile, customPipeline(build));
    const { epochs, batchSize, learningRate, optimizer, calibration, seed, timeout } = NETWORK;
    const spec: NetworkTrainSpec = {
      kind: 'custom',
      epochs,
      batchSize,
      learningRate,
      optimizer,
      calibration,
      seed,
      timeout,
    };
    const { train, ...rest } = options;
    return this.job({ spec: { ...spec, ...train } as NetworkTrainSpec, pipelineFile, ...rest });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const pipeline = definePipeline({
  name: 'flights',
  data: {
    source: json('flights.json'),
    time: 'date',
    window: { train: '4d', validation: '1d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 15' }),
  features: {
    distance: numeric({ scale: 'standard' }),
    origin: categorical({ minCount: 1 }),
    route: crossed(['origin', 'destination'], { buckets: 16 }),
    date: timestamp({ parts: ['hourOfDay'] }),
  },
  train: mlp({ hidden: [8], epochs: 2, batchSize: 64, learningRate: 0.01, warmStart: true, timeout: '1m' }),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01, confidence: 0.95 }) },
});

/** The definition's network: it names one, and no command. */
const NETWORK = pipeline.spec.train as NetworkTrainSpec;

function jsonText(): string {
  const random = new RandomStream(1);
  const lines: string[] = [];
  for (let day = 1; day <= 6; day++) {
    for (let i = 0; i < ROWS_A_DAY; i++) {
      const hour = random.below(24);
      const [origin, destination] = [random.below(AIRPORTS.length), random.below(AIRPORTS.length)];
      const flight = {
        date: `2001-01-0${day} ${String(hour).padStart(2, '0')}:00:00`,
        delay: origin * 6 + hour / 2 + random.below(20) - 18,
        distance: 100 + random.below(2000),
        origin: AIRPORTS[origin],
        destination: AIRPORTS[destination],
      };
      lines.push(JSON.stringify(flight));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** So that a pipeline file in the folder finds what it imports, as in an author's project. */
async function installPipelinePackage(folder: string): Promise<void> {
  const scope = join(folder, 'node_modules', '@perennial');
  await mkdir(scope, { recursive: true });
  await symlink(
    fileURLToPath(new URL('..', import.meta.resolve('@perennial/pipeline'))),
    join(scope, 'pipeline'),
  );
}

/** A pipeline file as an author writes it, but for its data, which a training does not look at. */
function customPipeline(build: string): string {
  return `import { binary, custom, csv, definePipeline, notWorse, numeric } from '@perennial/pipeline';
export default definePipeline({
  name: 'flights',
  data: { source: csv('flights.csv'), time: 'date', window: { train: '4d', validation: '1d', test: '1d' } },
  label: binary('late', { from: 'delay > 15' }),
  features: { distance: numeric() },
  train: custom(${build}),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01, confidence: 0.95 }) },
});
`;
}
