import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request as it arrived. */
export interface Arrived {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real HTTP server that keeps what it is asked and answers as it is told. */
export interface RecordingServer {
  baseUrl: string;
  arrived: Arrived[];
  answer: (respond: (response: ServerResponse) => void) => void;
  close: () => Promise<void>;
}

export async function startRecordingServer(): Promise<RecordingServer> {
  const arrived: Arrived[] = [];
  let respond = (response: ServerResponse): void => void response.end('{}');
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      arrived.push({ method, url, headers, body });
      respond(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    answer: (next) => (respond = next),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers with JSON, or with text as it is. */
export function sending(status: number, body: unknown, contentType = 'application/json') {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': contentType });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}
