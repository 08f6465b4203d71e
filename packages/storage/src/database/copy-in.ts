import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Submittable } from 'pg';

/** Of node-postgres's connection, what copying needs. */
interface CopyConnection {
  readonly stream: Socket;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/**
 * `copy … from stdin` as node-postgres takes it: the chunks are made and sent while the server works on those before, no faster than the connection takes them.
 * Where the server refuses, no further chunk is made.
 */
export class CopyIn implements Submittable {
  /** Resolves to how many rows were copied. */
  readonly done: Promise<number>;
  readonly #text: string;
  readonly #chunks: AsyncIterable<Buffer>;
  #rows = 0;
  #over = false;
  #cause: unknown;
  #resolve: (rows: number) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(text: string, chunks: AsyncIterable<Buffer>) {
    this.#text = text;
    this.#chunks = chunks;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever waits for the statement waits for this; a loss of the connection may come before.
    this.done.catch(() => undefined);
  }

  /** Where node-postgres hangs its time-out in. */
  callback(): void {
    // Nothing is waited for beside the server's answer.
  }

  submit(connection: unknown): void {
    (connection as CopyConnection).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void this.#send(connection);
  }

  handleCommandComplete({ text }: { text?: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text ?? '')?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#over = true;
    this.#resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#over = true;
    // Told that we gave up, the server answers with an error of its own; ours says why.
    this.#reject(this.#cause ?? error);
  }

  async #send(connection: CopyConnection): Promise<void> {
    try {
      for await (const chunk of this.#chunks) {
        if (this.#over) return;
        connection.sendCopyFromChunk(chunk);
        if (connection.stream.writableNeedDrain) await this.#drain(connection.stream);
        // A connection that takes whatever is sent drains without a look at the event loop: a refusal would never be heard, and nobody else served.
        await nextTurn();
      }
      if (!this.#over) connection.endCopyFrom();
    } catch (error) {
      this.#cause = error;
      connection.sendCopyFail('the client could not go on');
    }
  }

  async #drain(stream: Socket): Promise<void> {
    const drained = new Promise<void>((resolve) => stream.once('drain', () => resolve()));
    await Promise.race([drained, this.done.catch(() => undefined)]);
  }
}
