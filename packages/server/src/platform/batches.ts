import type { SourceReaders } from '@perennial/data';
import { BatchExecutor } from '@perennial/orchestration';
import type { JobHandlers } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import type { PlatformParts } from './parts.ts';

/** What a worker does for batches. */
export function batchJobs(
  { batches, workFolder }: Config,
  parts: PlatformParts,
  { objects }: Pick<SourceReaders, 'objects'>,
): JobHandlers {
  const { folder, bucket } = batches;
  const { logger } = parts;
  const readable = bucket === null || objects === undefined ? null : { objects, name: bucket };
  const executor = new BatchExecutor({
    ...parts,
    places: { folder, bucket: readable },
    workFolder,
    log: ({ batch, message, error }) => logger.error({ batch, err: error }, message),
  });
  return executor.handlers;
}
