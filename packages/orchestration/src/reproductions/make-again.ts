import {
  NotFoundError,
  backendNameSchema,
  parseId,
  type DatasetVersion,
  type Digest,
  type ModelVersionDetail,
  type RunLineage,
  type ReproductionDifference,
} from '@perennial/contract';
import { isAdopted, readArtifactHeader } from '@perennial/onnx';
import { getDatasetVersion, getModelVersion, getRunRow, type ArtifactStore } from '@perennial/storage';
import { NotReproducibleError } from '../errors.ts';
import { buildForRun } from '../steps/data-step.ts';
import type { StepContext } from '../steps/step.ts';
import { fitModel, type Fitting } from '../steps/training-step.ts';
import { withinTime } from '../time-limit.ts';
import { artifactDifferences, datasetDifferences, type ComparedArtifact } from './differences.ts';

/** What a version is made again with: a step's context, but for the run, which the version tells. Its store keeps nothing. */
export type MakingContext = Omit<StepContext, 'run' | 'inputDigest'>;

/**
 * Makes a version again, from what is on record of it: the dataset from the source, by the run's definition and instant; and the artifact from the recorded dataset, by
 * the recorded training, seed, backend and first weights, so that a source that changed does not hide whether the training still comes to the same.
 *
 * @returns where the two differ from what is on record; empty where they are the same byte for byte
 * @throws NotReproducibleError, NotFoundError, BackendUnavailableError, StepTimedOutError; the errors of building and training
 */
export async function makeAgain(
  context: MakingContext,
  { model, version }: { model: string; version: number },
): Promise<ReproductionDifference[]> {
  const { orm } = context.database;
  const recorded = await getModelVersion(orm, model, version);
  const lineage = runLineageOf(recorded);
  const run = await getRunRow(orm, parseId('run', lineage.run));
  const dataset = await getDatasetVersion(orm, lineage.dataset);
  const making = { ...context, run };
  refuseOtherCode(making, recorded);
  const built = await buildAgain(making, dataset);
  return [...built, ...(await trainAgain(making, recorded).catch(unlessExplained(built, recorded)))];
}

/** Splits that are not kept any more cannot be trained on, and could not be built again either: how they differ is all there is to say. */
function unlessExplained(
  built: ReproductionDifference[],
  { artifact }: ModelVersionDetail,
): (error: unknown) => ReproductionDifference[] {
  return (error) => {
    if (built.length === 0 || !(error instanceof NotFoundError)) throw error;
    return [{ what: 'artifact', recorded: artifact, found: `not made: ${error.message}` }];
  };
}

type RunMakingContext = Omit<StepContext, 'inputDigest'>;

/** Where code of the author's has a part in the result, it must be the code of then. */
function refuseOtherCode({ run, catalog }: RunMakingContext, { model, version }: ModelVersionDetail): void {
  const { data, train } = run.spec;
  const runsCode = data.source.kind === 'query' || train.kind !== 'mlp';
  if (runsCode && catalog.get(run.pipeline).codeDigest !== run.codeDigest)
    throw new NotReproducibleError(
      `${model}@${version}`,
      `The code of its pipeline is not what it was (${run.codeDigest}): load that code again.`,
    );
}

async function buildAgain(
  context: RunMakingContext,
  recorded: DatasetVersion,
): Promise<ReproductionDifference[]> {
  const limit = { step: 'data', policy: context.run.spec.steps.data, signal: context.signal };
  const found = await withinTime(limit, (signal) => buildForRun({ ...context, signal }));
  return datasetDifferences(recorded, found);
}

async function trainAgain(
  context: RunMakingContext,
  recorded: ModelVersionDetail,
): Promise<ReproductionDifference[]> {
  const { artifacts, run, catalog, signal } = context;
  const before = { digest: recorded.artifact, bytes: await bytesOf(artifacts, recorded.artifact) };
  const fitting = { ...fittingOf(recorded, before.bytes), pipeline: catalog.get(run.pipeline) };
  const limit = { step: 'training', policy: run.spec.steps.training, signal };
  const { artifact } = await withinTime(limit, (signal) =>
    // The digest of what the step follows from is of no use to the fitting itself.
    fitModel({ ...context, signal, inputDigest: '' }, fitting),
  );
  const after: ComparedArtifact = { digest: artifact, bytes: await artifacts.get(artifact) };
  return artifactDifferences(before, after);
}

/** @throws NotReproducibleError of a version that was made elsewhere */
function runLineageOf({ model, version, lineage }: ModelVersionDetail): RunLineage {
  if (lineage.kind === 'run') return lineage;
  throw new NotReproducibleError(`${model}@${version}`, 'It was made elsewhere and registered as a file.');
}

function fittingOf(recorded: ModelVersionDetail, bytes: Uint8Array | null): Omit<Fitting, 'pipeline'> {
  const { dataset, backend } = runLineageOf(recorded);
  const known = backendNameSchema.safeParse(backend);
  return {
    dataset,
    warmStart: firstWeights(recorded, bytes),
    ...(known.success && { backend: known.data }),
  };
}

/**
 * The artifact that the training was given to begin at. The file itself says so even where the weights did not fit and it began afresh; lineage names it only where it did.
 */
function firstWeights(recorded: ModelVersionDetail, bytes: Uint8Array | null): Digest | null {
  if (bytes === null || isAdopted(bytes)) return runLineageOf(recorded).warmStartedFrom;
  const given = readArtifactHeader(bytes).properties['warmStartedFrom'];
  return given === undefined || given === '' ? null : given;
}

/** Null of an artifact that is not kept any more; its digest can still be compared. */
async function bytesOf(artifacts: ArtifactStore, digest: Digest): Promise<Uint8Array | null> {
  try {
    return await artifacts.get(digest);
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
