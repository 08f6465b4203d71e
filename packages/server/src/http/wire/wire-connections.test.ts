import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Front, FrontRequest } from '../front.ts';
import { WireConnections } from './wire-connections.ts';

const LIMITS = { head: 10_000, body: 60_000, next: 30_000 };
const HEADERS = ['content-type', 'text/plain'];

let server: Server;
/** The server's ends of the connections, in the order in which they were opened. */
let ends: Socket[];
let connections: WireConnections;
let clients: Socket[];
/** Requests that the front has and that wait to be answered. */
let held: FrontRequest[];
let arrivals: () => void;

/** Takes what is sent to /front, and answers what was sent; holds what is sent to /hold; has the senders to /refuse rest. */
const front: Front = {
  take: (request) => {
    if (request.url === '/refuse') {
      request.answer({ status: 503, headers: HEADERS, requestId: 'id-1', body: 'refused', rests: true });
      return true;
    }
    if (request.url === '/hold') {
      held.push(request);
      arrivals();
      return true;
    }
    if (request.url !== '/front') return false;
    const body = request.readBody(1_000_000);
    if (body instanceof Promise) throw new TypeError('A body that is whole is there at once.');
    reply(request, `front ${request.method} ${body.toString()}`);
    return true;
  },
};

const reply = (request: FrontRequest, body: string | Uint8Array) =>
  request.answer({ status: 200, headers: HEADERS, requestId: 'id-1', body });

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  [clients, ends, held, arrivals] = [[], [], [], () => undefined];
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => response.end(`node ${request.method} ${request.url} ${body.length}`));
  });
  connections = new WireConnections(server, front, LIMITS);
  server.on('connection', (socket) => ends.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  connections.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.useRealTimers();
});

interface Client {
  socket: Socket;
  /** All that has come, once it holds a text. */
  until: (text: string) => Promise<string>;
  /** All that has come. */
  got: () => string;
  /** All that came, once the other side has closed. */
  end: () => Promise<string>;
}

async function open(): Promise<Client> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(socket);
  let got = '';
  socket.on('data', (chunk) => (got += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  return {
    socket,
    until: async (text) => {
      while (!got.includes(text)) await once(socket, 'data');
      return got;
    },
    got: () => got,
    end: async () => {
      await closed;
      return got;
    },
  };
}

const post = (url: string, body: string) =>
  `POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const arrived = (count: number) =>
  new Promise<void>((resolve) => {
    arrivals = () => held.length >= count && resolve();
    arrivals();
  });

describe('a connection of plain requests', () => {
  it('is answered with the fields of the answer, of the message and of the connection', async () => {
    const { socket, until } = await open();
    socket.write(post('/front', 'héllo'));
    const text = await until('front POST');
    const [head, body] = text.split('\r\n\r\n');
    expect(body).toBe(Buffer.from('front POST héllo').toString('latin1'));
    expect(head?.replace(/Date: .+ GMT/, 'Date: <date>').split('\r\n')).toEqual([
      'HTTP/1.1 200 OK',
      'content-type: text/plain',
      'x-request-id: id-1',
      'content-length: 17',
      'Date: <date>',
      'Connection: keep-alive',
      'Keep-Alive: timeout=30',
    ]);
  });

  it('is read however its bytes are cut', async () => {
    const { socket, until } = await open();
    const bytes = Buffer.from(post('/front', 'é'.repeat(20)) + post('/front', 'last'));
    for (let i = 0; i < bytes.length; i += 7) {
      socket.write(bytes.subarray(i, i + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const text = await until('last');
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it('answers requests that are sent ahead one after another, in order', async () => {
    const { socket, until } = await open();
    socket.write(post('/hold', '1') + post('/front', '2') + post('/hold', '3'));
    await arrived(1);
    expect(held).toHaveLength(1);
    reply(held[0] as FrontRequest, 'first');
    await arrived(2);
    reply(held[1] as FrontRequest, Buffer.from('third'));
    const text = await until('third');
    expect(text.match(/first|front POST 2|third/g)).toEqual(['first', 'front POST 2', 'third']);
  });

  it('answers thousands that are sent ahead', async () => {
    const { socket, until } = await open();
    socket.write(post('/front', 'x').repeat(5_000) + post('/front', 'done'));
    expect((await until('done')).match(/front POST x/g)).toHaveLength(5_000);
  });

  it('may be left before it is answered', async () => {
    const { socket } = await open();
    socket.write(post('/hold', ''));
    await arrived(1);
    socket.resetAndDestroy();
    await eventually(() => ends[0]?.destroyed === true);
    reply(held[0] as FrontRequest, 'too late');
    const { until, socket: next } = await open();
    next.write(post('/front', 'another'));
    await until('another');
  });

  it('is answered although the sender has said that it says no more', async () => {
    const { socket, end } = await open();
    socket.end(post('/hold', ''));
    await arrived(1);
    reply(held[0] as FrontRequest, 'still');
    expect(await end()).toContain('still');
  });
});

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe("what is not the front's goes to Node's server, with all that comes after it", () => {
  it.each([
    ['another address', 'GET /other HTTP/1.1\r\nHost: a\r\n\r\n', 'node GET /other 0'],
    ['another method', 'DELETE /front HTTP/1.1\r\nHost: a\r\n\r\n', 'node DELETE /front 0'],
    [
      'chunks',
      'POST /front HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'node POST /front 3',
    ],
    ['a large body', post('/front', 'x'.repeat(200_000)), 'node POST /front 200000'],
    ['a line before the request', `\r\n${post('/front', 'abc')}`, 'node POST /front 3'],
  ])('%s', async (_what, text, answer) => {
    const { socket, until } = await open();
    socket.write(post('/front', 'before'));
    await until('before');
    socket.write(text + post('/front', 'after'));
    await until(answer);
    await until('node POST /front 5');
  });

  it('a request without an end of its head, at once when it begins as none, else when it grows too long', async () => {
    const greeting = await open();
    greeting.socket.write(Buffer.from([0x16, 0x03, 0x01]));
    expect(await greeting.end()).toContain('HTTP/1.1 400 Bad Request');
    const long = await open();
    long.socket.write(`GET /front HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
    expect(await long.end()).toContain('HTTP/1.1 431');
  });

  it('a message with two lengths, which is refused', async () => {
    const { socket, end } = await open();
    socket.write('POST /front HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd');
    expect(await end()).toContain('HTTP/1.1 400 Bad Request');
  });
});

describe('a connection that keeps us waiting is ended', () => {
  const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);
  const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

  it('when it says nothing', async () => {
    const { end } = await open();
    await eventually(() => ends.length === 1);
    pass(12_000);
    expect(await end()).toBe('');
  });

  it('when its head is not whole in ten seconds, however slowly it goes on', async () => {
    const { socket, until, end } = await open();
    socket.write(post('/front', 'a'));
    await until('front POST a');
    for (const part of ['PO', 'ST /fr', 'ont HT']) {
      socket.write(part);
      await eventually(() => ends[0]?.bytesRead === socket.bytesWritten);
      pass(4_000);
    }
    expect(await end()).toContain(TIMED_OUT);
  });
});

it('is ended when the body is not whole in a minute', async () => {
  const { socket, end } = await open();
  socket.write(post('/front', 'abc').slice(0, -1));
  await eventually(() => ends[0]?.bytesRead === socket.bytesWritten);
  vi.advanceTimersByTime(59_000);
  expect(ends[0]?.destroyed).toBe(false);
  vi.advanceTimersByTime(3_000);
  expect(await end()).toContain('408 Request Timeout');
});

it('is not read on while a sender sends ahead without end', async () => {
  const { socket, until } = await open();
  socket.write(post('/hold', ''));
  await arrived(1);
  socket.write(post('/front', 'x'.repeat(1_000)).repeat(1_000) + post('/front', 'done'));
  await eventually(() => ends[0]?.isPaused() === true);
  expect(ends[0]?.bytesRead).toBeLessThan(600_000);
  reply(held[0] as FrontRequest, 'first');
  await until('front POST done');
});

describe('a connection whose sender is to come back later', () => {
  it('is answered at once, and what it sends next is not looked at for a tenth of a second; others are', async () => {
    const [refused, other] = [await open(), await open()];
    refused.socket.write(post('/refuse', '') + post('/front', 'ahead'));
    await refused.until('refused');
    refused.socket.write(post('/front', 'again'));
    await eventually(() => ends[0]?.bytesRead === refused.socket.bytesWritten);
    vi.advanceTimersByTime(99);
    other.socket.write(post('/front', 'now'));
    await other.until('front POST now');
    expect(refused.got()).not.toContain('front');
    vi.advanceTimersByTime(1);
    const text = await refused.until('front POST again');
    expect(text.indexOf('front POST ahead')).toBeGreaterThan(text.indexOf('refused'));
  });

  it('ends where the server closes meanwhile, and where the sender has ended; what was sent before is answered', async () => {
    const [closed, ended, sending] = [await open(), await open(), await open()];
    sending.socket.write(post('/refuse', '') + post('/front', 'the last'));
    await sending.until('refused');
    ended.socket.end(post('/refuse', ''));
    await ended.until('refused');
    closed.socket.write(post('/refuse', ''));
    await closed.until('refused');
    connections.drain();
    vi.advanceTimersByTime(100);
    await closed.end();
    await ended.end();
    expect(await sending.end()).toContain('front POST the last');
  });
});

describe('a server that closes', () => {
  it('ends what is idle, and lets an answer under way be the last of its connection', async () => {
    const [idle, busy] = [await open(), await open()];
    idle.socket.write(post('/front', 'a'));
    await idle.until('front POST a');
    busy.socket.write(post('/hold', ''));
    await arrived(1);
    connections.drain();
    await idle.end();
    reply(held[0] as FrontRequest, 'the last');
    const text = await busy.end();
    expect(text).toContain('the last');
    expect(text).toContain('Connection: close');
    expect(text).not.toContain('Keep-Alive');
  });
});
