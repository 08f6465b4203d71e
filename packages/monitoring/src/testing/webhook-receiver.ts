import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as it arrived. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A real HTTP server that keeps what is sent to it and answers as it is told. */
export interface WebhookReceiver {
  url: string;
  port: number;
  received: Received[];
  /** How it answers from now on. @default 204 */
  answer: (respond: (response: ServerResponse) => void) => void;
  /** Stops at once, open connections included. */
  close: () => Promise<void>;
}

/** @param port where to listen; 0 for any that is free */
export async function startWebhookReceiver(port = 0): Promise<WebhookReceiver> {
  const received: Received[] = [];
  let respond = (response: ServerResponse): void => void response.writeHead(204).end();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const headers = request.headers as Record<string, string>;
      received.push({ path: request.url ?? '', headers, body });
      respond(response);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${own}/hook`,
    port: own,
    received,
    answer: (next) => (respond = next),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
