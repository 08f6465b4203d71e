import {
  SourceChangedError,
  buildDataset,
  sourceFingerprint,
  windowBounds,
  type BuiltDataset,
} from '@perennial/data';
import { digestOfJson, saveDatasetVersion } from '@perennial/storage';
import { keepsEntities, refreshEntities } from '../entities/refresh-entities.ts';
import { PipelineChangedError } from '../errors.ts';
import type { RunContext, StepContext, StepDefinition } from './step.ts';

export interface DataOutput {
  dataset: string;
  rows: { train: number; validation: number; test: number };
  quarantined: number;
}

/** Raised when the same source under the same definition comes to give another dataset, so that none of before is taken for it. */
const BUILD_REVISION = 2;

/** Builds the dataset version that the run's instant asks for. */
export const dataStep: StepDefinition<null, DataOutput> = {
  name: 'data',
  reusable: true,
  describeInput: describe,
  execute: async (context) => {
    // Its training follows, and the process for it takes as long to start as a small dataset to build.
    if (context.run.spec.train.kind !== 'command') context.trainer?.prepare();
    const built = await buildForRun(context);
    const { digest, manifest, card } = built;
    await refuseChanged(context);
    if (keepsEntities(context.run.spec)) await refreshEntities(context, built);
    const { train, validation, test } = manifest.splits;
    const asOf = new Date(test.to);
    const output = {
      dataset: digest,
      rows: { train: train.rows, validation: validation.rows, test: test.rows },
      quarantined: card.quarantine.rows,
    };
    const version = { digest, asOf, createdAt: context.clock.now(), manifest, card };
    return { output, write: (tx) => saveDatasetVersion(tx, version) };
  },
};

/**
 * Builds the dataset that a run's definition asks for at the run's instant, into the context's store.
 * @throws PipelineChangedError when the query function is no longer the run's; the errors of `buildDataset`
 */
export async function buildForRun(context: Omit<StepContext, 'inputDigest'>): Promise<BuiltDataset> {
  const { run, artifacts, workFolder, sources, digests, signal, report } = context;
  const { folder, functions } = pipelineOf(context);
  return buildDataset({
    spec: run.spec,
    folder,
    asOf: run.asOf,
    artifacts,
    workFolder,
    sources,
    functions,
    digests,
    signal,
    onProgress: ({ phase, done }) => report({ done, message: phase }),
  });
}

/**
 * What the dataset follows from. Where the source's content is not known before it is read, the run itself stands for it, so that no other run can be taken to
 * have read the same.
 */
async function describe(context: RunContext) {
  const { spec, id, asOf } = context.run;
  const { folder } = context.catalog.get(context.run.pipeline);
  const { sources, digests } = context;
  const source = await sourceFingerprint({ spec, folder, sources, digests });
  return {
    revision: BUILD_REVISION,
    pipeline: spec.name,
    source: source ?? { run: id },
    window: windowBounds(spec.data.window, asOf),
    data: spec.data,
    label: spec.label,
    features: spec.features,
    slices: spec.validate.slices.columns,
    // A dataset that was built while nobody needed the entities' rows has not brought them.
    ...(keepsEntities(spec) ? { entities: true } : {}),
  };
}

/** The function that a query is must be the one that the run was asked for with. */
function pipelineOf({ run, catalog }: RunContext) {
  const pipeline = catalog.get(run.pipeline);
  if (run.spec.data.source.kind === 'query' && pipeline.codeDigest !== run.codeDigest)
    throw new PipelineChangedError(run.pipeline, run.id);
  return pipeline;
}

/**
 * Files that were replaced after they were described would stand in the record under the digest of what they replaced. A stream only grows, and what it held
 * before can never be met again.
 */
async function refuseChanged(context: StepContext): Promise<void> {
  const { source, name } = { ...context.run.spec.data, name: context.run.pipeline };
  if (source.kind === 'stream') return;
  if (digestOfJson(await describe(context)) !== context.inputDigest)
    throw new SourceChangedError(name, 'paths' in source ? source.paths.join(', ') : source.kind);
}
