import { parseId, type Clock, type Run, type Trigger } from '@perennial/contract';
import { appendRunEvent, getRun, transaction, type Database } from '@perennial/storage';
import { TriggerSkippedError } from './errors.ts';
import type { TriggerEngine } from './triggers/trigger-engine.ts';

export interface RunServiceDependencies {
  database: Database;
  clock: Clock;
  engine: TriggerEngine;
}

export interface RunRequest {
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
  async start({ pipeline, trigger, asOf, force }: RunRequest): Promise<Run> {
    const { database, engine } = this.#dependencies;
    const record = await engine.fire({ pipeline, ...trigger, asOf, force });
    if (record.run === null) throw new TriggerSkippedError(record);
    return getRun(database.orm, parseId('run', record.run));
  }

  /**
   * Ends a run that has not ended; whoever executes it stops.
   * @throws NotFoundError, TransitionRefusedError
   */
  async cancel(run: string, by: string): Promise<Run> {
    const { database, clock } = this.#dependencies;
    const id = parseId('run', run);
    return transaction(database, async (tx) => {
      await appendRunEvent(tx, { runId: id, at: clock.now(), event: { type: 'cancelled', by } });
      return getRun(tx, id);
    });
  }
}
