import type { MessagePort } from 'node:worker_threads';
import { openDatabase, type Database } from '@perennial/storage';
import { ShippingError } from '../errors.ts';
import type { FromShippingThread, ThreadSetup, ToShippingThread } from './messages.ts';
import { plainError } from './plain-error.ts';
import { createPredictionSink, type PredictionSink } from './prediction-sink.ts';
import { RemoteJournal } from './remote-journal.ts';
import { Shipper } from './shipper.ts';

/** Two ship at once, and one is spare, should another be lost and not known to be. They are opened when they are needed. */
const CONNECTIONS = 3;

interface Opened {
  database: Database;
  sink: PredictionSink;
}

/** The thread of a `ThreadedShipper`: ships a journal that another thread writes, until it is told to leave. */
export class ShippingThread {
  readonly #port: MessagePort;
  readonly #setup: ThreadSetup;
  readonly #journal: RemoteJournal;
  readonly #shipper: Shipper;
  #opening: Promise<Opened> | undefined;

  constructor(port: MessagePort, setup: ThreadSetup) {
    this.#port = port;
    this.#setup = setup;
    this.#journal = new RemoteJournal(setup, {
      onRelease: (position) => this.#tell({ kind: 'progress', position, counters: this.#shipper.counters }),
      onDamage: (bytes) => this.#tell({ kind: 'damage', bytes }),
    });
    this.#shipper = new Shipper({
      ...setup.pace,
      journal: this.#journal,
      from: setup.from,
      sink: (records) => this.#ship(records),
      onProblem: (error) =>
        this.#tell({ kind: 'problem', error: plainError(error), counters: this.#shipper.counters }),
    });
    port.on('message', (message: ToShippingThread) => this.#take(message));
    this.#shipper.start();
  }

  #take(message: ToShippingThread): void {
    switch (message.kind) {
      case 'grown':
        return this.#journal.told();
      case 'flush':
        return void this.#flush(message.flush);
      case 'leave':
        return void this.#leave();
    }
  }

  #tell(message: FromShippingThread): void {
    this.#port.postMessage(message);
  }

  async #ship(records: readonly string[]): Promise<void> {
    const { sink } = await this.#opened();
    await sink(records);
  }

  /** Opens the database when there is something to ship, once for all batches: where it is away, that is a failure like any other. */
  async #opened(): Promise<Opened> {
    this.#opening ??= this.#open();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #open(): Promise<Opened> {
    const database = await openDatabase({
      ...this.#setup.database,
      maxConnections: CONNECTIONS,
      applicationName: 'perennial shipper',
    });
    return { database, sink: createPredictionSink(database) };
  }

  async #flush(flush: number): Promise<void> {
    try {
      await this.#shipper.flush();
      this.#tell({ kind: 'flushed', flush });
    } catch (error) {
      const { reason, cause } =
        error instanceof ShippingError ? error : new ShippingError('an attempt failed');
      this.#tell({
        kind: 'not-flushed',
        flush,
        reason,
        cause: cause === undefined ? undefined : plainError(cause),
      });
    }
  }

  async #leave(): Promise<void> {
    await this.#shipper.stop();
    await (await this.#opening)?.database.close();
    this.#port.close();
  }
}
