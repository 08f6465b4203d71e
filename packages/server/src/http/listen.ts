import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { ListenError } from '../errors.ts';

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

export interface ListenOptions {
  host: string;
  port: number;
  /** Answers some requests before the app sees them. */
  front?: Front;
}

/** What answers requests in front of the app; false leaves one to the app. */
export interface Front {
  take: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Binds the app to an address. @throws ListenError */
export async function listen(app: Hono, { host, port, front }: ListenOptions): Promise<ListeningServer> {
  const server = await bind(app, { host, port, ...(front && { front }) });
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, close: () => drain(server) };
}

function bind(app: Hono, { host, port, front }: ListenOptions): Promise<Server> {
  return new Promise((resolve, reject) => {
    const serverOptions = {
      headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
      requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    };
    const answer = getRequestListener(app.fetch, { hostname: host });
    const server = createServer(serverOptions, (request, response) => {
      if (front?.take(request, response) !== true) void answer(request, response);
    });
    server.listen(port, host);
    server.once('listening', () => resolve(server));
    server.once('error', (cause) => reject(new ListenError(`${host}:${port}`, { cause })));
  });
}

/** A connection that becomes idle after the first look is kept alive by Node.js for up to thirty seconds, so it is looked again and again. */
const IDLE_CHECK_MILLISECONDS = 50;

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_MILLISECONDS);
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MILLISECONDS);
    server.close(() => {
      clearTimeout(deadline);
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
