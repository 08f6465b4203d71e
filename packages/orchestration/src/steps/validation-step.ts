import { CHAMPION, type Evaluation, type GateReport, type TrainingResult } from '@perennial/contract';
import { findAlias, getDatasetVersion, getModelVersion } from '@perennial/storage';
import { validate } from '@perennial/validation';
import type { DataOutput } from './data-step.ts';
import type { RunContext, StepDefinition } from './step.ts';

export interface ValidationInput {
  data: DataOutput;
  training: TrainingResult;
}

export interface ValidationOutput {
  evaluation: Evaluation;
  championEvaluation: Evaluation | null;
  report: GateReport;
}

/** Compares the candidate with the champion of the moment on the same test rows. */
export const validationStep: StepDefinition<ValidationInput, ValidationOutput> = {
  name: 'validation',
  reusable: true,
  describeInput: async (context, { data, training }) => ({
    dataset: data.dataset,
    candidate: training.artifact,
    champion: (await findChampion(context)) ?? null,
    validate: context.run.spec.validate,
  }),
  execute: async (context, { data, training }) => {
    const { artifacts, database, run, signal, report } = context;
    const { manifest } = await getDatasetVersion(database.orm, data.dataset);
    const champion = await findChampion(context);
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

async function findChampion({ database, run }: RunContext) {
  const alias = await findAlias(database.orm, run.pipeline, CHAMPION);
  if (!alias) return undefined;
  const { model, version, artifact } = await getModelVersion(database.orm, alias.model, alias.version);
  return { model, version, artifact };
}
