import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

export interface ConnectionEvents {
  /** The answer of the request that was under way. */
  answered: (status: number) => void;
  /** The connection failed or closed, under a request or without one; it is opened anew. */
  lost: (underRequest: boolean) => void;
  /** Free for a request. Called again after a reconnection. */
  free: (connection: Connection) => void;
}

/** One connection that is kept alive, with at most one request under way; opened anew when it is lost. */
export class Connection {
  readonly #place: { host: string; port: number };
  readonly #events: ConnectionEvents;
  #socket: Socket | undefined;
  #busy = false;
  #closed = false;

  constructor(place: { host: string; port: number }, events: ConnectionEvents) {
    this.#place = place;
    this.#events = events;
    this.#open();
  }

  send(request: Buffer): void {
    this.#busy = true;
    this.#socket?.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #open(): void {
    const socket = connect({ ...this.#place, noDelay: true });
    this.#socket = socket;
    const reader = new AnswerReader((status, keepAlive) => this.#answered(socket, status, keepAlive));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.once('connect', () => this.#events.free(this));
    // What failed shows as a close.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#lost());
  }

  #answered(socket: Socket, status: number, keepAlive: boolean): void {
    this.#busy = false;
    this.#events.answered(status);
    if (keepAlive) this.#events.free(this);
    else socket.destroy();
  }

  #lost(): void {
    if (this.#closed) return;
    this.#events.lost(this.#busy);
    this.#busy = false;
    // A server that refuses connections is not to be asked without pause.
    setTimeout(() => this.#closed || this.#open(), 10);
  }
}
