import { EventEmitter } from 'node:events';
import { ASYNC_PREDICTION_ENDED_CHANNEL, type Database, type Listener } from '@perennial/storage';
import { WakeSignal } from '../waiting/wake-signal.ts';

/** Wakes everybody: what was announced while the connection was lost is never repeated. */
const EVERYBODY = '*';

/**
 * Tells those who wait for an asynchronous prediction that it has ended, wherever it was worked on. All of them share one connection to the database, which
 * announces what ends; nobody asks it again and again.
 */
export class EndedPredictions {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  #listener: Listener | undefined;
  #waiting = 0;

  static async open(database: Pick<Database, 'listen'>): Promise<EndedPredictions> {
    const ended = new EndedPredictions();
    ended.#listener = await database.listen(
      ASYNC_PREDICTION_ENDED_CHANNEL,
      (id) => ended.#emitter.emit(id),
      () => ended.#emitter.emit(EVERYBODY),
    );
    return ended;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Does the work with a signal that is called when the prediction may have ended. The signal is there before the work begins, so that what ends in between is not
   * missed.
   */
  async watch<Result>(id: string, work: (wake: WakeSignal) => Promise<Result>): Promise<Result> {
    const wake = new WakeSignal();
    const call = () => wake.call();
    this.#waiting++;
    this.#emitter.on(id, call).on(EVERYBODY, call);
    try {
      return await work(wake);
    } finally {
      this.#emitter.off(id, call).off(EVERYBODY, call);
      this.#waiting--;
    }
  }

  async close(): Promise<void> {
    await this.#listener?.stop();
  }
}
