import type { PipelineSpec } from '@perennial/contract';
import { newestRows, type BuiltDataset } from '@perennial/data';
import { holdRun, saveEntityRows, transaction } from '@perennial/storage';
import type { StepContext } from '../steps/step.ts';

/** Whether the last known row of each entity is kept: the pipeline names a key, and its model is served in a way that needs them. */
export function keepsEntities({ data, serving }: Pick<PipelineSpec, 'data' | 'serving'>): boolean {
  return (
    data.key !== undefined && (serving.modes.includes('offline') || serving.cache?.features !== undefined)
  );
}

/**
 * Brings the newest row of each entity of a dataset to where they are looked up, batch by batch, each in a transaction that holds the run. Nothing is put back to an older row, so
 * that a run that is done again, or one of an earlier day, does no harm.
 * @returns how many rows were new or newer
 * @throws LeaseLostError when another worker has the run by now; the signal's reason when it is aborted
 */
export async function refreshEntities(
  { run, fence, database, artifacts, workFolder, signal, report }: StepContext,
  { digest, manifest }: Pick<BuiltDataset, 'digest' | 'manifest'>,
): Promise<number> {
  const { train, validation, test } = manifest.splits;
  const splits = [train, validation, test].filter(({ rows }) => rows > 0);
  const files = await Promise.all(splits.map((split) => artifacts.fetchFile(split.digest)));
  let written = 0;
  for await (const rows of newestRows({ files, manifest, workFolder })) {
    signal.throwIfAborted();
    written += await transaction(database, async (tx) => {
      await holdRun(tx, { runId: run.id, fence });
      return saveEntityRows(tx, { model: run.pipeline, dataset: digest, rows });
    });
    report({ done: 1, message: `${written} entities` });
  }
  return written;
}
