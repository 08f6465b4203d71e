import type { Digest, StepName, TrainingResult } from '@perennial/contract';
import { getDatasetVersion, type Executor } from '@perennial/storage';
import type { DataOutput } from './data-step.ts';

/** What a step's output refers to in the artifact store. Of a data step, its dataset version must be on record. */
export async function artifactsOf(db: Executor, step: StepName, output: unknown): Promise<Digest[]> {
  switch (step) {
    case 'data': {
      const { manifest, card } = await getDatasetVersion(db, (output as DataOutput).dataset);
      const { train, validation, test } = manifest.splits;
      const quarantined = card.quarantine.digest;
      const splits = [train, validation, test].map(({ digest }) => digest);
      return quarantined === undefined ? splits : [...splits, quarantined];
    }
    case 'training': {
      const { artifact, linear } = output as TrainingResult;
      return linear === null ? [artifact] : [artifact, linear.artifact];
    }
    case 'validation':
    case 'registration':
      return [];
  }
}
