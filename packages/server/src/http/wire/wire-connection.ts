import { STATUS_CODES, type IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { BodyTooLargeError } from '../../errors.ts';
import type { Front, FrontAnswer, FrontRequest } from '../front.ts';
import { HeadReader, type RequestHead } from './request-head.ts';

/** Longest body that is gathered here; longer ones are for a reader that need not hold them whole. */
const MOST_BODY_BYTES = 128 * 1024;
/** What a sender may send ahead while its request is being answered; then it is not read any more. */
const MOST_AHEAD_BYTES = 256 * 1024;

/**
 * How long a connection is not read that was refused for want of room, in milliseconds; it was told to come back after a second. Senders that ask again at once would otherwise take the time that is there
 * to serve with: to refuse takes a third of what answering does.
 */
const REST_MILLISECONDS = 100;

/** What a connection waits for. */
export type WireState = 'head' | 'body' | 'answer' | 'next';

export interface WireParts {
  front: Front;
  /** Goes on with a connection from the beginning of a request that is none of the front's. What was read is in the socket again. */
  handOver: (socket: Socket) => void;
  /** The header fields that every answer ends with, and whether the connection is to end with it. */
  connectionFields: () => { text: string; ends: boolean };
  /** Called once, when the connection is closed or handed over. */
  onGone: (connection: WireConnection) => void;
}

/**
 * One connection of HTTP/1.1 that carries requests of the front's: read, answered, and read on, one at a time. The first request of another kind takes the connection with it to Node's own server, for good.
 *
 * Node's server makes a request and a response of streams for every exchange; reading plain requests off the socket takes half of the time of one (docs/performance.md).
 */
export class WireConnection {
  /** What it waits for, and since when: the owner's time, which it sets at `waitedSince`. */
  state: WireState = 'head';
  waitedSince: number;
  readonly #socket: Socket;
  readonly #parts: WireParts;
  readonly #now: () => number;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of which there must be as many before it is worth while to look again. */
  #wanted = 1;
  readonly #heads = new HeadReader();
  #ended = false;
  #gone = false;

  /** @param now - a time to compare with, as coarse as time limits may be */
  constructor(socket: Socket, parts: WireParts, now: () => number) {
    this.#socket = socket;
    this.#parts = parts;
    this.#now = now;
    this.waitedSince = now();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    // What failed shows as a close.
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  /** Whether it had its answers and has begun nothing new. One that was just opened is about to say something. */
  get isIdle(): boolean {
    return this.state === 'next';
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends a connection whose sender took too long, and says so where it had begun to say something. */
  expire(): void {
    if (this.#length > 0) this.#socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    this.#socket.destroySoon();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.state === 'answer') {
      if (this.#length > MOST_AHEAD_BYTES) this.#socket.pause();
      return;
    }
    if (this.state === 'next') this.#wait('head');
    if (this.#length >= this.#wanted) this.#read();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.state !== 'answer') this.#socket.end();
  };

  readonly #onClose = (): void => this.#leave();

  #wait(state: WireState): void {
    this.state = state;
    this.waitedSince = this.#now();
  }

  #read(): void {
    const bytes = this.#gathered();
    if (!beginsPlainly(bytes)) {
      this.#handOver(bytes);
      return;
    }
    const found = this.#heads.find(bytes);
    if (found === undefined) {
      this.#wanted = bytes.length + 1;
      return;
    }
    if (found === null || found.head.contentLength > MOST_BODY_BYTES) {
      this.#handOver(bytes);
      return;
    }
    const { head, bytes: bodyStart } = found;
    const bodyEnd = bodyStart + head.contentLength;
    if (bytes.length >= bodyEnd) this.#take(head, bytes, { bodyStart, bodyEnd });
    else if (this.state === 'head') {
      this.#wanted = bodyEnd;
      this.#wait('body');
    }
  }

  #gathered(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const bytes = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [bytes];
    return bytes;
  }

  #take(
    head: RequestHead,
    bytes: Buffer,
    { bodyStart, bodyEnd }: { bodyStart: number; bodyEnd: number },
  ): void {
    // Before it is taken: it may be answered on the spot.
    this.#chunks = bytes.length === bodyEnd ? [] : [bytes.subarray(bodyEnd)];
    this.#length = bytes.length - bodyEnd;
    this.#wanted = 1;
    this.state = 'answer';
    const request = new WireRequest(this, head, bytes.subarray(bodyStart, bodyEnd));
    if (!this.#parts.front.take(request)) this.#handOver(bytes);
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** Sends the answer of the request under way, then reads on. */
  send({ status, headers, requestId, body, rests = false }: FrontAnswer): void {
    if (this.#gone) return;
    const { text, ends } = this.#parts.connectionFields();
    const bytes = Buffer.byteLength(body);
    const head =
      statusLine(status) +
      fieldsOf(headers) +
      `x-request-id: ${requestId}\r\ncontent-length: ${bytes}\r\n${text}\r\n`;
    const flowing = this.#write(head, body, bytes);
    if (rests && !ends && !this.#ended) this.#rest();
    else this.#afterAnswer(flowing, ends);
  }

  /** Reads on after a moment. What comes meanwhile is kept, as while an answer is being made. */
  #rest(): void {
    const timer = setTimeout(() => {
      if (this.#gone) return;
      // What was sent meanwhile is answered also where the server closes: the refusal did not say that it was the last answer.
      const ends = this.#length === 0 && this.#parts.connectionFields().ends;
      this.#afterAnswer(!this.#socket.writableNeedDrain, ends);
    }, REST_MILLISECONDS);
    timer.unref();
  }

  #afterAnswer(flowing: boolean, ends: boolean): void {
    this.#wait('next');
    if (ends || this.#ended) this.#socket.end();
    else if (flowing) this.#goOn();
    // A sender that does not read its answers is not read either.
    else this.#socket.once('drain', () => this.#goOn());
  }

  #write(head: string, body: string | Uint8Array, bytes: number): boolean {
    const socket = this.#socket;
    // As many bytes as characters are ASCII, as answers mostly are, which need not be looked at one by one.
    if (typeof body === 'string') return socket.write(head + body, bytes === body.length ? 'latin1' : 'utf8');
    socket.cork();
    socket.write(head, 'latin1');
    const flowing = socket.write(body);
    socket.uncork();
    return flowing;
  }

  #goOn(): void {
    if (this.#gone || this.state !== 'next') return;
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#length === 0) return;
    this.#wait('head');
    // Not on the spot: one that sends a thousand requests ahead would be answered a thousand calls deep, and before all others.
    setImmediate(() => {
      if (!this.#gone && this.state === 'head') this.#read();
    });
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.#leave();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', ignore);
    socket.off('close', this.#onClose);
    socket.unshift(bytes);
    this.#parts.handOver(socket);
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#chunks = [];
    this.#parts.onGone(this);
  }
}

const ignore = (): void => undefined;

/** G of GET or P of POST. What begins otherwise, such as the greeting of TLS, has no head whose end would be worth waiting for. */
const beginsPlainly = (bytes: Buffer): boolean => bytes[0] === 0x47 || bytes[0] === 0x50;

const statusLine = (status: number): string => `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;

/** Texts of fields that are the same for many answers. */
const FIELDS = new WeakMap<readonly string[], string>();

function fieldsOf(headers: readonly string[]): string {
  const known = FIELDS.get(headers);
  if (known !== undefined) return known;
  let text = '';
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  FIELDS.set(headers, text);
  return text;
}

/** A request that was read off a connection, whole. */
class WireRequest implements FrontRequest {
  readonly #connection: WireConnection;
  readonly #head: RequestHead;
  readonly #body: Buffer;

  constructor(connection: WireConnection, head: RequestHead, body: Buffer) {
    this.#connection = connection;
    this.#head = head;
    this.#body = body;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#head.url;
  }

  get headers(): IncomingHttpHeaders {
    return this.#head.headers;
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress;
  }

  readBody(maxBytes: number): Buffer {
    if (this.#body.length > maxBytes) throw new BodyTooLargeError(maxBytes);
    return this.#body;
  }

  answer(answer: FrontAnswer): void {
    this.#connection.send(answer);
  }

  /** It is whole. */
  drain(): void {
    return;
  }
}
