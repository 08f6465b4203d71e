import { formatId, type RunLineage, type TrainingResult } from '@perennial/contract';
import { readSignature } from '@perennial/onnx';
import {
  buildModelCard,
  registerCandidate,
  type Candidate,
  type Registration,
  type ReleaseContext,
} from '@perennial/registry';
import { getDatasetVersion, raiseAlert, type Executor } from '@perennial/storage';
import type { DataOutput } from './data-step.ts';
import type { RunContext } from './step.ts';
import type { ValidationOutput } from './validation-step.ts';
import { worseAlert } from './worse-alert.ts';

export interface RegistrationInput {
  data: DataOutput;
  training: TrainingResult;
  validation: ValidationOutput;
}

/** What registration needs beside the run's own context. */
export interface RegistrationTools {
  /** As it stands in a version's lineage. */
  platformVersion: string;
  signer: ReleaseContext['signer'];
}

/**
 * Prepares what registration writes, outside its transaction; the returned function writes it in the transaction that also ends the run, so the
 * version and the run's success are visible together or not at all. A candidate that failed its gate raises an alert there too.
 */
export async function prepareRegistration(
  context: RunContext & RegistrationTools,
  input: RegistrationInput,
): Promise<(tx: Executor) => Promise<Registration>> {
  const { run, clock, ids, signer, artifacts, database } = context;
  const dataset = await getDatasetVersion(database.orm, input.data.dataset);
  const signature = readSignature(await artifacts.get(input.training.artifact));
  const candidate: Candidate = {
    model: run.pipeline,
    runId: run.id,
    artifact: { digest: input.training.artifact, bytes: input.training.bytes },
    dataset: dataset.digest,
    asOf: new Date(dataset.asOf),
    signature,
    lineage: lineageOf(context, input),
    evaluation: input.validation.evaluation,
    gate: input.validation.report,
    release: run.spec.release,
    card: (registered) =>
      buildModelCard({
        spec: run.spec,
        dataset,
        training: input.training,
        validation: input.validation,
        signature,
        lineage: candidate.lineage,
        ...registered,
      }),
  };
  return async (tx) => {
    const registration = await registerCandidate(tx, candidate, { clock, ids, signer });
    const { version } = registration;
    const alert = worseAlert({ model: run.pipeline, version, runId: run.id, validation: input.validation });
    if (alert !== null) await raiseAlert(tx, { ...alert, id: ids.next(), at: clock.now() });
    return registration;
  };
}

function lineageOf(
  { run, platformVersion }: RunContext & Pick<RegistrationTools, 'platformVersion'>,
  input: RegistrationInput,
): RunLineage {
  const { backend, device, seed, warmStart } = input.training;
  return {
    kind: 'run',
    run: formatId('run', run.id),
    pipeline: run.pipeline,
    codeDigest: run.codeDigest,
    dataset: input.data.dataset,
    warmStartedFrom: warmStart.from ?? null,
    backend,
    device,
    seed,
    platformVersion,
  };
}
