import { buildDataset } from '@perennial/data';
import { saveDatasetVersion } from '@perennial/storage';
import type { StepDefinition } from './step.ts';

export interface DataOutput {
  dataset: string;
  rows: { train: number; validation: number; test: number };
  quarantined: number;
}

/** Builds the dataset version that the run's instant asks for. */
export const dataStep: StepDefinition<null, DataOutput> = {
  name: 'data',
  // The source's content is not known before it is read, so no earlier run can be known to have read the same.
  reusable: false,
  describeInput: async ({ run }) => ({
    run: run.id,
    asOf: run.asOf,
    data: run.spec.data,
    features: run.spec.features,
  }),
  execute: async ({ run, catalog, artifacts, workFolder, signal, report, clock }) => {
    const { folder } = catalog.get(run.pipeline);
    const { digest, manifest, card } = await buildDataset({
      spec: run.spec,
      folder,
      asOf: run.asOf,
      artifacts,
      workFolder,
      signal,
      onProgress: ({ phase, done }) => report({ done, message: phase }),
    });
    const { train, validation, test } = manifest.splits;
    const asOf = new Date(test.to);
    const output = {
      dataset: digest,
      rows: { train: train.rows, validation: validation.rows, test: test.rows },
      quarantined: card.quarantine.rows,
    };
    const version = { digest, asOf, createdAt: clock.now(), manifest, card };
    return { output, write: (tx) => saveDatasetVersion(tx, version) };
  },
};
