import type { DatasetVersion } from '@perennial/contract';
import type { RunRow } from '@perennial/storage';
import type { OpenLineageState } from './announce.ts';
import {
  modelDataset,
  sourceDatasets,
  versionDataset,
  type DatasetMaking,
  type OpenLineageDataset,
} from './datasets.ts';
import { RUN_EVENT_SCHEMA, facetsBy, producerOf, type Facets } from './facets.ts';

/** A run event of OpenLineage (https://openlineage.io/spec/2-0-2/OpenLineage.json, `RunEvent`). */
export interface OpenLineageRunEvent {
  eventType: OpenLineageState;
  eventTime: string;
  run: { runId: string; facets: Facets };
  job: { namespace: string; name: string; facets: Facets };
  inputs: OpenLineageDataset[];
  outputs: OpenLineageDataset[];
  producer: string;
  schemaURL: typeof RUN_EVENT_SCHEMA;
}

/** What an event is made of: what is on record of the run. */
export interface RunFacts {
  run: RunRow;
  dataset: Pick<DatasetVersion, 'digest' | 'pipeline' | 'card'> | null;
  version: { model: string; version: number } | null;
}

export interface Producer {
  /** The installation's: of jobs, dataset versions and models. */
  namespace: string;
  platformVersion: string;
  /** The folder of a pipeline's file; undefined where it is not loaded. */
  folderOf: (pipeline: string) => string | undefined;
}

/**
 * The event that tells of a run's state. It says only what stands on record for ever, so that an event which is sent twice is the same both times; that of a start says nothing of what came
 * of the run.
 */
export function runEvent(
  state: OpenLineageState,
  { run, dataset, version }: RunFacts,
  { namespace, platformVersion, folderOf }: Producer,
): OpenLineageRunEvent {
  const producer = producerOf(platformVersion);
  const facets = facetsBy(producer);
  const making: DatasetMaking = { namespace, facets, folder: folderOf(run.pipeline) };
  const ended = state === 'START' ? null : dataset;
  const made = state === 'COMPLETE' ? version : null;
  return {
    eventType: state,
    eventTime: ((state === 'START' ? run.startedAt : run.endedAt) ?? run.createdAt).toISOString(),
    run: { runId: run.id, facets: runFacets(state, run, { making, platformVersion }) },
    job: { namespace, name: run.pipeline, facets: jobFacets(run, making) },
    inputs: ended === null ? [] : sourceDatasets(ended, making),
    outputs: [
      ...(ended === null ? [] : [versionDataset(ended, making)]),
      ...(made === null ? [] : [modelDataset(made, making)]),
    ],
    producer,
    schemaURL: RUN_EVENT_SCHEMA,
  };
}

function runFacets(
  state: OpenLineageState,
  run: RunRow,
  { making, platformVersion }: { making: DatasetMaking; platformVersion: string },
): Facets {
  const { namespace, facets } = making;
  const backfill = {
    run: { runId: run.backfillId },
    job: { namespace, name: `${run.pipeline}/backfill` },
  };
  return facets({
    nominalTime: { nominalStartTime: run.asOf.toISOString() },
    processing_engine: {
      name: 'Perennial',
      version: platformVersion,
      openlineageAdapterVersion: platformVersion,
    },
    parent: run.backfillId === null ? null : backfill,
    errorMessage: state === 'FAIL' ? errorOf(run) : null,
  });
}

/** The field is obligatory; what a training command was written in nobody asked. */
function errorOf({ error }: RunRow): Record<string, unknown> {
  const message = error === null ? 'not known' : `${error.code}: ${error.message}`;
  return { message, programmingLanguage: 'JAVASCRIPT' };
}

/** The code is named by its digest: it is not ours to send on. */
function jobFacets({ spec, codeDigest }: RunRow, { facets }: DatasetMaking): Facets {
  return facets({
    jobType: { processingType: 'BATCH', integration: 'PERENNIAL', jobType: 'PIPELINE' },
    documentation: spec.description === undefined ? null : { description: spec.description },
    ownership: spec.owners.length === 0 ? null : { owners: spec.owners.map((name) => ({ name })) },
    sourceCode: { language: 'typescript', sourceCode: codeDigest },
  });
}
