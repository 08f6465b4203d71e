import { parseId, type Clock, type Run, type Trigger } from '@perennial/contract';
import {
  appendRunEvent,
  getRun,
  recordChange,
  transaction,
  type Database,
  type Requester,
} from '@perennial/storage';
import { TriggerSkippedError } from './errors.ts';
import { announceRun } from './openlineage/announce.ts';
import type { TriggerEngine } from './triggers/trigger-engine.ts';

export interface RunServiceDependencies {
  database: Database;
  clock: Clock;
  engine: TriggerEngine;
  /** Whether an OpenLineage receiver is told of runs; the same in all processes of an installation. @default false */
  announce?: boolean;
}

export interface RunRequest extends Pick<Requester, 'origin'> {
  pipeline: string;
  trigger: Trigger;
  /** @default now */
  asOf?: Date | undefined;
  force: boolean;
}

/** Starts and cancels runs. */
export class RunService {
  readonly #dependencies: RunServiceDependencies;

  constructor(dependencies: RunServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Asks for a run.
   * @returns the run that was started, or the waiting one that will do for this request too
   * @throws NotFoundError, TriggerSkippedError when the trigger is of a kind that the pipeline's limits hold back
   */
  async start({ pipeline, trigger, asOf, force, origin }: RunRequest): Promise<Run> {
    const { database, engine } = this.#dependencies;
    const record = await engine.fire({ pipeline, ...trigger, asOf, force, origin });
    if (record.run === null) throw new TriggerSkippedError(record);
    return getRun(database.orm, parseId('run', record.run));
  }

  /**
   * Ends a run that has not ended; whoever executes it stops.
   * @throws NotFoundError, TransitionRefusedError
   */
  async cancel(run: string, { by, origin }: Requester): Promise<Run> {
    const { database, clock, announce = false } = this.#dependencies;
    const id = parseId('run', run);
    return transaction(database, async (tx) => {
      const at = clock.now();
      await appendRunEvent(tx, { runId: id, at, event: { type: 'cancelled', by } });
      const cancelled = await getRun(tx, id);
      // Of a run that never began nobody has been told.
      if (announce && cancelled.startedAt !== null) await announceRun(tx, id, 'cancelled');
      const details = { pipeline: cancelled.pipeline };
      recordChange(tx, { at, by, action: 'run.cancelled', subject: `run:${run}`, details, origin });
      return cancelled;
    });
  }
}
