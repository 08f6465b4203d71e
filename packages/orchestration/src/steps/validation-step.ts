import {
  CHAMPION,
  type Evaluation,
  type GateReport,
  type ModelVersion,
  type TrainingResult,
} from '@perennial/contract';
import { findAlias, getDatasetVersion, getModelVersion } from '@perennial/storage';
import { validate } from '@perennial/validation';
import type { DataOutput } from './data-step.ts';
import type { RunContext, StepDefinition } from './step.ts';

export interface ValidationInput {
  data: DataOutput;
  training: TrainingResult;
  /** The champion of the moment; found once, so that the comparison is on record with the one it was made against. */
  champion: Champion | null;
}

type Champion = Pick<ModelVersion, 'model' | 'version' | 'artifact'>;

export interface ValidationOutput {
  evaluation: Evaluation;
  championEvaluation: Evaluation | null;
  report: GateReport;
}

/** Compares the candidate with the champion of the moment on the same test rows. */
export const validationStep: StepDefinition<ValidationInput, ValidationOutput> = {
  name: 'validation',
  reusable: true,
  describeInput: async (context, { data, training, champion }) => ({
    dataset: data.dataset,
    candidate: training.artifact,
    champion,
    validate: context.run.spec.validate,
  }),
  execute: async (context, { data, training, champion }) => {
    const { artifacts, database, run, signal, report } = context;
    const { manifest } = await getDatasetVersion(database.orm, data.dataset);
    const output = await validate({
      spec: run.spec,
      manifest,
      datasetDigest: data.dataset,
      testFile: await artifacts.fetchFile(manifest.splits.test.digest),
      candidate: { artifact: training.artifact, bytes: await artifacts.get(training.artifact) },
      champion: champion ? { ...champion, bytes: await artifacts.get(champion.artifact) } : null,
      onProgress: (done: number) =>
        report({ done, message: 'scoring candidate and champion on the test rows' }),
      signal,
    });
    return { output };
  },
};

/** The version that the candidate is compared with. */
export async function findChampion({ database, run }: RunContext): Promise<Champion | null> {
  const alias = await findAlias(database.orm, run.pipeline, CHAMPION);
  if (!alias) return null;
  const { model, version, artifact } = await getModelVersion(database.orm, alias.model, alias.version);
  return { model, version, artifact };
}
