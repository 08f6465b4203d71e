import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { OpenLineageRunEvent } from '../openlineage/run-event.ts';

export interface TestReceiver {
  url: string;
  events: OpenLineageRunEvent[];
  headers: IncomingMessage['headers'][];
  /** What it answers; of 0 nothing, ever. */
  answer: number;
  close(): Promise<void>;
}

/** Receives OpenLineage events, as Marquez does at this path. */
export async function startTestReceiver(): Promise<TestReceiver> {
  const receiver: Pick<TestReceiver, 'events' | 'headers' | 'answer'> = {
    events: [],
    headers: [],
    answer: 201,
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      receiver.headers.push(request.headers);
      receiver.events.push(JSON.parse(body) as OpenLineageRunEvent);
      if (receiver.answer === 0) return;
      response.writeHead(receiver.answer, receiver.answer === 302 ? { location: '/elsewhere' } : {});
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}/api/v1/lineage`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
