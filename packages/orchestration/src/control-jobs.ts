import { NotFoundError } from '@perennial/contract';
import type { JobHandlers } from '@perennial/storage';
import type { BackfillService } from './backfills/backfill-service.ts';
import type { TriggerEngine } from './triggers/trigger-engine.ts';

export interface ControlJobsDependencies {
  engine: TriggerEngine;
  backfills: BackfillService;
  log: (line: { message: string; error: unknown }) => void;
}

/** What is done for jobs that decide about runs rather than execute them. */
export function controlJobs({ engine, backfills, log }: ControlJobsDependencies): JobHandlers {
  return {
    'backfill.advance': ({ backfill }) => backfills.advance(backfill),
    'pipeline.stale': async ({ pipeline, reason }) => {
      const by = 'monitoring';
      try {
        await engine.fire({ pipeline, kind: 'staleness', by, cause: { staleness: reason } });
      } catch (error) {
        // Its file is gone: no repetition brings it back.
        if (!(error instanceof NotFoundError)) throw error;
        log({ message: `the model '${pipeline}' is stale, but no such pipeline is loaded`, error });
      }
    },
  };
}
