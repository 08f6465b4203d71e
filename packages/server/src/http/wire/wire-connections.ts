import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Front } from '../front.ts';
import { WireConnection, type WireState } from './wire-connection.ts';

/** How long a connection may keep us waiting, in milliseconds. */
export interface WireLimits {
  /** From its first byte, or from its opening, until the head of a request is whole. */
  head: number;
  /** Until the body is whole. */
  body: number;
  /** Between two requests. */
  next: number;
}

const TICK_MILLISECONDS = 1_000;

/** The connections of a server that are read here until they carry something that is not the front's. */
export class WireConnections {
  readonly #server: Server;
  readonly #front: Front;
  readonly #limits: Record<WireState, number>;
  readonly #open = new Set<WireConnection>();
  readonly #timer: NodeJS.Timeout;
  readonly #keepAlive: string;
  /** Node's own way with a connection. */
  readonly #adopt: readonly ((socket: Socket) => void)[];
  #now = 0;
  #fields = '';
  #closing = false;

  /** Takes the connections of a server in its stead. */
  constructor(server: Server, front: Front, limits: WireLimits) {
    this.#server = server;
    this.#front = front;
    this.#limits = { ...limits, answer: Infinity };
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${limits.next / 1_000}\r\n`;
    this.#adopt = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#take(socket));
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS).unref();
    this.#renewFields();
  }

  /** Lets answers under way be the last of their connections, and ends those that have none. */
  drain(): void {
    this.#closing = true;
    this.#renewFields();
    for (const connection of this.#open) if (connection.isIdle) connection.destroy();
  }

  /** Ends every connection. */
  destroy(): void {
    clearInterval(this.#timer);
    for (const connection of this.#open) connection.destroy();
  }

  #take(socket: Socket): void {
    const parts = {
      front: this.#front,
      handOver: (given: Socket) => {
        for (const listener of this.#adopt) listener.call(this.#server, given);
      },
      connectionFields: () => ({ text: this.#fields, ends: this.#closing }),
      onGone: (connection: WireConnection) => this.#open.delete(connection),
    };
    this.#open.add(new WireConnection(socket, parts, () => this.#now));
  }

  /** Time is counted in ticks: reading a clock for every request would cost more than a second's precision is worth. */
  #tick(): void {
    this.#now += TICK_MILLISECONDS;
    this.#renewFields();
    for (const connection of this.#open)
      if (this.#now - connection.waitedSince > this.#limits[connection.state]) connection.expire();
  }

  #renewFields(): void {
    const connection = this.#closing ? 'Connection: close\r\n' : this.#keepAlive;
    this.#fields = `Date: ${new Date().toUTCString()}\r\n${connection}`;
  }
}
