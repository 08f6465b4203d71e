import {
  CHAMPION,
  NotFoundError,
  type DataCard,
  type DatasetVersion,
  type Digest,
  type ModelVersion,
  type TrainingResult,
} from '@perennial/contract';
import {
  debitTestSet,
  digestOfJson,
  findAlias,
  getDatasetVersion,
  getModelVersion,
} from '@perennial/storage';
import {
  validate,
  type ChampionFile,
  type ModelFile,
  type ValidationInput as Validation,
  type ValidationResult,
} from '@perennial/validation';
import type { DataOutput } from './data-step.ts';
import { fetchGoldenSets } from './golden-sets.ts';
import { fetchSeenSplits, seenSplits } from './seen-splits.ts';
import type { RunContext, StepContext, StepDefinition } from './step.ts';

export interface ValidationInput {
  data: DataOutput;
  training: TrainingResult;
  /** The champion of the moment; found once, so that the comparison is on record with the one it was made against. */
  champion: Champion | null;
}

/** The version that a candidate is compared with, and the dataset version it was trained on. */
type Champion = Pick<ModelVersion, 'model' | 'version' | 'artifact'> & {
  /** Null of an imported version. */
  dataset: Digest | null;
};

export type ValidationOutput = ValidationResult;

/** Raised when the same models on the same rows come to be answered otherwise, so that no answer of before is taken for it. */
const VALIDATION_REVISION = 2;

/** Compares the candidate with the champion of the moment on the same test rows, and examines it by itself. */
export const validationStep: StepDefinition<ValidationInput, ValidationOutput> = {
  name: 'validation',
  reusable: true,
  describeInput: async (context, input) => {
    const { run, servers } = context;
    const { dataset, championCard, seen } = await gather(context, input);
    const { label, features, data, validate } = run.spec;
    return {
      revision: VALIDATION_REVISION,
      dataset: dataset.digest,
      card: digestOfJson(dataset.card),
      candidate: input.training.artifact,
      linear: input.training.linear?.artifact ?? null,
      champion: input.champion,
      championCard: championCard === null ? null : digestOfJson(championCard),
      seen,
      // Of golden sets it holds the digests.
      validate,
      label,
      features,
      key: data.key ?? null,
      served: servers !== null,
    };
  },
  execute: async (context, input) => {
    const { signal, report } = context;
    const output = await validate({
      ...(await filesOf(context, input)),
      wear: wearOf(context),
      startServer: context.servers?.start ?? null,
      onProgress: (done: number) => report({ done, message: 'examining the candidate on the test rows' }),
      signal,
    });
    return { output };
  },
};

interface Gathered {
  dataset: DatasetVersion;
  championCard: DataCard | null;
  seen: Digest[];
}

/** What is on record of the models that are compared. */
async function gather(
  { database }: Pick<RunContext, 'database'>,
  { data, training, champion }: ValidationInput,
): Promise<Gathered> {
  const dataset = await getDatasetVersion(database.orm, data.dataset);
  const { train, test } = dataset.manifest.splits;
  const artifacts = [champion?.artifact ?? null, training.warmStart.from ?? null];
  return {
    dataset,
    championCard: champion?.dataset ? await cardOf(database, champion.dataset) : null,
    seen: await seenSplits(database, { artifacts, test, own: train.digest }),
  };
}

async function cardOf({ orm }: RunContext['database'], digest: Digest): Promise<DataCard | null> {
  try {
    return (await getDatasetVersion(orm, digest)).card;
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

type Files = Omit<Validation, 'wear' | 'startServer' | 'onProgress' | 'signal'>;

/** Everything that a validation reads, fetched to this machine. */
async function filesOf(context: StepContext, input: ValidationInput): Promise<Files> {
  const { run, artifacts } = context;
  const { dataset, championCard, seen } = await gather(context, input);
  const { train, test } = dataset.manifest.splits;
  const { training, champion } = input;
  const files = {
    testFile: await artifacts.fetchFile(test.digest),
    trainFile: await artifacts.fetchFile(train.digest),
  };
  return {
    ...files,
    spec: run.spec,
    manifest: dataset.manifest,
    datasetDigest: dataset.digest,
    card: dataset.card,
    candidate: await modelFile(context, training.artifact),
    champion: champion && { ...(await championFile(context, champion)), card: championCard },
    linear: training.linear && {
      artifact: training.linear.artifact,
      bytes: await artifacts.get(training.linear.artifact),
    },
    goldenSets: await fetchGoldenSets(context),
    ...(await fetchSeenSplits(artifacts, seen)),
  };
}

async function modelFile({ artifacts }: RunContext, artifact: Digest): Promise<ModelFile> {
  return { artifact, bytes: await artifacts.get(artifact), file: await artifacts.fetchFile(artifact) };
}

async function championFile(
  context: RunContext,
  { model, version, artifact }: Champion,
): Promise<Omit<ChampionFile, 'card'>> {
  return { model, version, ...(await modelFile(context, artifact)) };
}

/** In a transaction of its own, whatever becomes of the step: an answer that was seen is paid for. */
function wearOf({ database, run, clock }: RunContext): Validation['wear'] {
  return (question) => debitTestSet(database, { ...question, runId: run.id, at: clock.now() });
}

/** The version that the candidate is compared with. */
export async function findChampion({ database, run }: RunContext): Promise<Champion | null> {
  const alias = await findAlias(database.orm, run.pipeline, CHAMPION);
  if (!alias) return null;
  const found = await getModelVersion(database.orm, alias.model, alias.version);
  const { model, version, artifact, lineage } = found;
  return { model, version, artifact, dataset: lineage.kind === 'run' ? lineage.dataset : null };
}
