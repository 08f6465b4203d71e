import { formatId, parseId, type Clock, type IdGenerator, type Run, type Trigger } from '@perennial/contract';
import { appendRunEvent, createRun, enqueue, getRun, transaction, type Database } from '@perennial/storage';
import type { PipelineCatalog } from './pipeline-catalog.ts';

export interface RunServiceDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  catalog: PipelineCatalog;
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

  /** Writes a run down and queues its job, in one transaction. @throws NotFoundError */
  async start({ pipeline, trigger, asOf, force }: RunRequest): Promise<Run> {
    const { database, clock, ids, catalog } = this.#dependencies;
    const { spec, codeDigest } = catalog.get(pipeline);
    const id = ids.next();
    const createdAt = clock.now();
    return transaction(database, async (tx) => {
      await createRun(tx, { id, spec, codeDigest, trigger, asOf: asOf ?? createdAt, force, createdAt });
      const payload = { run: formatId('run', id) };
      await enqueue(tx, { kind: 'run.execute', payload, jobKey: `run.execute:${id}` });
      return getRun(tx, id);
    });
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
