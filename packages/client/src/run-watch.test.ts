import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type Client } from './client.ts';
import { ApiError, ConnectionError, UnexpectedAnswerError } from './errors.ts';
import { watchRun, type RunMessage } from './run-watch.ts';
import { sending, startRecordingServer, type RecordingServer } from './testing/recording-server.ts';

let server: RecordingServer;
let client: Client;
beforeEach(async () => {
  server = await startRecordingServer();
  client = createClient({ baseUrl: server.baseUrl, token: 'secret' });
});
afterEach(() => server.close());

const run = 'run_0190b0a4-0000-7000-8000-000000000000';
const STREAM = 'text/event-stream';

async function watched(): Promise<RunMessage[]> {
  const messages: RunMessage[] = [];
  for await (const message of watchRun(client, run)) messages.push(message);
  return messages;
}

describe('watching a run', () => {
  it('gives its messages in order', async () => {
    server.answer(
      sending(
        200,
        'event: event\ndata: {"sequence":1}\n\nevent: progress\ndata: {"done":0.5}\n\n: a comment\n\nevent: end\ndata: {"id":1}\n\n',
        STREAM,
      ),
    );
    expect(await watched()).toEqual([
      { type: 'event', data: { sequence: 1 } },
      { type: 'progress', data: { done: 0.5 } },
      { type: 'end', data: { id: 1 } },
    ]);
    expect(server.arrived).toMatchObject([
      { url: `/v1/runs/${run}/events`, headers: { accept: STREAM, authorization: 'Bearer secret' } },
    ]);
  });

  it('puts together what arrives in pieces, a character of several bytes included', async () => {
    const bytes = Buffer.from('event: progress\ndata: {"message":"größer €"}\n\n');
    server.answer((response) => {
      response.writeHead(200, { 'content-type': STREAM });
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    });
    expect(await watched()).toEqual([{ type: 'progress', data: { message: 'größer €' } }]);
  });

  it('that the server refuses is an error with its code', async () => {
    const problem = {
      type: 'urn:perennial:error:run-not-found',
      title: 'run-not-found',
      status: 404,
      detail: 'There is no run.',
      instance: 'r',
    };
    server.answer(sending(404, problem, 'application/problem+json'));
    await expect(watched()).rejects.toMatchObject({ code: 'run-not-found' });
    await expect(watched()).rejects.toBeInstanceOf(ApiError);
  });

  it('that is answered with something else is unexpected', async () => {
    server.answer(sending(200, '{"items":[]}'));
    await expect(watched()).rejects.toBeInstanceOf(UnexpectedAnswerError);
    server.answer(sending(200, 'event: event\ndata: not json\n\n', STREAM));
    await expect(watched()).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  it('that breaks off is a lost connection', async () => {
    server.answer((response) => {
      response.writeHead(200, { 'content-type': STREAM });
      response.write('event: event\ndata: {}\n\n', () => response.destroy());
    });
    await expect(watched()).rejects.toBeInstanceOf(ConnectionError);
  });

  it('ends when the caller stops listening', async () => {
    const closed = new Promise<void>((resolve) =>
      server.answer((response) => {
        response.on('close', () => resolve());
        response.writeHead(200, { 'content-type': STREAM });
        response.write('event: event\ndata: {}\n\n');
      }),
    );
    for await (const message of watchRun(client, run)) {
      expect(message.type).toBe('event');
      break;
    }
    await expect(closed).resolves.toBeUndefined();
  });

  it('that the caller aborts rejects with the caller’s reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    server.answer((response) => {
      response.writeHead(200, { 'content-type': STREAM });
      response.write('event: event\ndata: {}\n\n');
    });
    const watching = (async () => {
      for await (const { type } of watchRun(client, run, { signal: controller.signal })) {
        expect(type).toBe('event');
        controller.abort(reason);
      }
    })();
    await expect(watching).rejects.toBe(reason);
  });
});
