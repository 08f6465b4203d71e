import { onTestFinished } from 'vitest';
import { IdGenerator, formatId, type AsyncPrediction, type RecordSpec } from '@perennial/contract';
import { insertWebhook, transaction, type Database } from '@perennial/storage';
import { AsyncPredictionDesk } from '../async/async-prediction-desk.ts';
import { AsyncPredictionExecutor } from '../async/async-prediction-executor.ts';
import { EndedPredictions } from '../async/ended-predictions.ts';
import { ServedPlatform } from './served-platform.ts';

/** A time limit that the test lets pass, or not. */
interface Wait {
  milliseconds: number;
  pass: () => void;
}

export const HOUR = 3_600_000;

/** Asynchronous predictions on a real database, with the model `m` (version 1 answers `x + 1`) and an executor that works when the test says so. */
export class AsyncBench {
  readonly waits: Wait[] = [];
  readonly problems: unknown[] = [];
  record: RecordSpec = {};
  #ids!: IdGenerator;

  private constructor(
    readonly database: Database,
    readonly served: ServedPlatform,
    readonly ended: EndedPredictions,
  ) {}

  static async start(database: Database): Promise<AsyncBench> {
    await database.sql`truncate async_predictions, predictions, webhook_deliveries, webhooks`;
    await database.sql`delete from graphile_worker._private_jobs`;
    const served = await ServedPlatform.start();
    served.promote('m', 1);
    served.setChampion('idle', null);
    await served.table.refresh();
    const ended = await EndedPredictions.open(database);
    onTestFinished(() => ended.close());
    const bench = new AsyncBench(database, served, ended);
    bench.#ids = new IdGenerator(served.clock);
    return bench;
  }

  desk({ queueLimit = 100 }: { queueLimit?: number } = {}): AsyncPredictionDesk {
    const { database, served, ended } = this;
    return new AsyncPredictionDesk({
      database,
      models: served.models,
      ended,
      clock: served.clock,
      ids: this.#ids,
      keptMilliseconds: HOUR,
      queueLimit,
      delay: (milliseconds, signal) =>
        new Promise((pass) => {
          this.waits.push({ milliseconds, pass });
          if (signal.aborted) pass();
          else signal.addEventListener('abort', () => pass(), { once: true });
        }),
    });
  }

  executor(): AsyncPredictionExecutor {
    return new AsyncPredictionExecutor({
      database: this.database,
      models: this.served.models,
      servingOf: () => ({ modes: ['online'], record: this.record }),
      clock: this.served.clock,
      ids: this.#ids,
      keptMilliseconds: HOUR,
      log: ({ error }) => this.problems.push(error),
    });
  }

  accept(...xs: number[]): Promise<AsyncPrediction> {
    const request = { instances: xs.map((x) => ({ x })), keys: xs.map((x) => `key-${x}`) };
    return this.desk().accept({ model: 'm', request, by: 'token:tester' });
  }

  execute({ id: prediction }: Pick<AsyncPrediction, 'id'>, lastAttempt = false): Promise<void> {
    return this.executor().execute({ prediction }, { signal: new AbortController().signal, lastAttempt });
  }

  find({ id: prediction }: Pick<AsyncPrediction, 'id'>): Promise<AsyncPrediction> {
    return this.desk().find({ prediction });
  }

  async jobs(): Promise<{ task: string; payload: Record<string, unknown> }[]> {
    return this.database.sql<{ task: string; payload: Record<string, unknown> }[]>`
      select t.identifier as task, j.payload from graphile_worker._private_jobs j
      join graphile_worker._private_tasks t on t.id = j.task_id order by j.id`;
  }

  /** Adds a webhook that is told how asynchronous predictions end. */
  async addWebhook(): Promise<string> {
    const id = this.#ids.next();
    await transaction(this.database, (tx) =>
      insertWebhook(tx, {
        id,
        url: 'https://hooks.example/a',
        events: ['prediction.completed', 'prediction.failed'],
        model: null,
        secret: 'whsec_AAAA',
        createdBy: 'local',
        createdAt: this.served.clock.now(),
      }),
    );
    return formatId('webhook', id);
  }

  async events(): Promise<{ type: string; data: AsyncPrediction }[]> {
    const rows = await this.database.sql<{ event: { type: string; data: AsyncPrediction } }[]>`
      select event from webhook_deliveries order by id`;
    return rows.map(({ event }) => event);
  }
}
