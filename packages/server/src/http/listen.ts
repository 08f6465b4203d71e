import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { ListenError } from '../errors.ts';
import type { Front } from './front.ts';
import { NodeFrontRequest } from './node-front-request.ts';
import { WireConnections } from './wire/wire-connections.ts';

export interface ListeningServer {
  url: string;
  /** Takes no new request, lets those under way finish for at most ten seconds, then ends every connection. */
  close(): Promise<void>;
}

/** A client that sends its headers or body slower than this is cut off, so that idle connections cannot pile up (Slowloris). */
const HEADERS_TIMEOUT_MILLISECONDS = 10_000;
const REQUEST_TIMEOUT_MILLISECONDS = 60_000;
const KEEP_ALIVE_MILLISECONDS = 30_000;
const DRAIN_MILLISECONDS = 10_000;

const TIMEOUTS = {
  headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
  requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
  keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
};
const LIMITS = {
  head: HEADERS_TIMEOUT_MILLISECONDS,
  body: REQUEST_TIMEOUT_MILLISECONDS,
  next: KEEP_ALIVE_MILLISECONDS,
};

export interface ListenOptions {
  host: string;
  port: number;
  /** Answers some requests before the app sees them. */
  front?: Front;
}

/** Binds the app to an address. @throws ListenError */
export async function listen(app: Hono, { host, port, front }: ListenOptions): Promise<ListeningServer> {
  const answer = getRequestListener(app.fetch, { hostname: host });
  const server = createServer(TIMEOUTS, (request, response) => {
    if (front?.take(new NodeFrontRequest(request, response)) !== true) void answer(request, response);
  });
  const connections = front && new WireConnections(server, front, LIMITS);
  await bind(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, close: () => drain(server, connections) };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.listen(port, host);
    server.once('listening', resolve);
    server.once('error', (cause) => reject(new ListenError(`${host}:${port}`, { cause })));
  });
}

/** A connection that becomes idle after the first look is kept alive by Node.js for up to thirty seconds, so it is looked again and again. */
const IDLE_CHECK_MILLISECONDS = 50;

function drain(server: Server, connections: WireConnections | undefined): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      server.closeAllConnections();
      connections?.destroy();
    }, DRAIN_MILLISECONDS);
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MILLISECONDS);
    server.close(() => {
      clearTimeout(deadline);
      clearInterval(idle);
      connections?.destroy();
      resolve();
    });
    connections?.drain();
    server.closeIdleConnections();
  });
}
