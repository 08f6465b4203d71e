import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildDataset, type BuiltDataset } from '@perennial/data';
import {
  binary,
  categorical,
  definePipeline,
  mlp,
  notWorse,
  numeric,
  parquet,
  timestamp,
} from '@perennial/pipeline';
import { FileArtifactStore } from '@perennial/storage';

const require = createRequire(join(import.meta.dirname, '../../../../../../pipelines/package.json'));
const FLIGHTS = join(dirname(require.resolve('vega-datasets')), '..', 'data');

const { spec } = definePipeline({
  name: 'flight-delay',
  data: {
    source: parquet('flights-3m.parquet'),
    time: 'date',
    window: { train: '7d', validation: '1d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 15' }),
  features: {
    distance: numeric(),
    delay: numeric(),
    origin: categorical(),
    destination: categorical(),
    date: timestamp(),
  },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
});

/** Datasets of real flights of 2001, each with the file of its test split. The delay, which the label is made of, is among the features. */
export class Flights {
  readonly #folder: string;
  readonly #artifacts: FileArtifactStore;

  private constructor(folder: string, artifacts: FileArtifactStore) {
    this.#folder = folder;
    this.#artifacts = artifacts;
  }

  static async open(): Promise<Flights> {
    const folder = await mkdtemp(join(tmpdir(), 'checks-test-'));
    return new Flights(folder, await FileArtifactStore.open({ folder: join(folder, 'artifacts') }));
  }

  async build(day: string): Promise<BuiltDataset & { file: string }> {
    const workFolder = join(this.#folder, 'work');
    const built = await buildDataset({
      spec,
      folder: FLIGHTS,
      asOf: new Date(day),
      artifacts: this.#artifacts,
      workFolder,
      threads: 2,
    });
    return { ...built, file: await this.#artifacts.fetchFile(built.manifest.splits.test.digest) };
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
