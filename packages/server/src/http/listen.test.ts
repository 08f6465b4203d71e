import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenError } from '../errors.ts';
import { listen, type ListeningServer } from './listen.ts';

let servers: ListeningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

async function start(app: Hono, place = { host: '127.0.0.1', port: 0 }): Promise<ListeningServer> {
  const server = await listen(app, place);
  servers.push(server);
  return server;
}

describe('listening', () => {
  it('answers at the address it says', async () => {
    const server = await start(new Hono().get('/', (c) => c.text('here')));
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(server.url)).text()).toBe('here');
  });

  it.each([
    [
      'a port that another has',
      async () => Number(new URL((await start(new Hono())).url).port),
      /another process listens there already/,
    ],
  ])('on %s is refused with what to do', async (_, portOf, message) => {
    const port = await portOf();
    const error = await listen(new Hono(), { host: '127.0.0.1', port }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ address: `127.0.0.1:${port}` });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('--port');
  });

  it('on an address that is not this machine’s is refused with what to do', async () => {
    await expect(listen(new Hono(), { host: '203.0.113.1', port: 0 })).rejects.toThrow(
      /^Cannot listen on 203\.0\.113\.1:0: this machine has no such address \(--host/,
    );
  });
});

describe('closing', () => {
  it('lets a request under way end, takes no other, and does not wait for a connection that is kept alive', async () => {
    const arrived = deferred();
    const permitted = deferred();
    const app = new Hono().get('/', async (c) => {
      arrived.resolve();
      await permitted.promise;
      return c.text('done');
    });
    const server = await start(app);
    const agent = new Agent({ keepAlive: true });
    const answer = get(server.url, agent);
    await arrived.promise;
    const closed = server.close();
    await expect(fetch(server.url)).rejects.toThrow();
    permitted.resolve();
    expect(await answer).toBe('done');
    await closed;
    agent.destroy();
  });

  it('ends a connection that says nothing', async () => {
    const server = await start(new Hono());
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket, 'close');
    socket.resume();
    await server.close();
    await expect(ended).resolves.toBeDefined();
  });
});

function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function get(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });
}
