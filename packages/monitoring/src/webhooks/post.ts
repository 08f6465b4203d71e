import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { HostAddress } from './destination.ts';

export interface PostRequest {
  headers: Record<string, string>;
  body: string;
  /** The only addresses that are connected to, whatever the URL's host stands for by now. */
  addresses: HostAddress[];
  signal: AbortSignal;
}

export interface PostAnswer {
  status: number;
  /** The header Retry-After as it was sent. */
  retryAfter: string | undefined;
  /** The beginning of the body, at most a kilobyte, without control characters. */
  excerpt: string;
}

/** All that is read of an answer: enough to say what went wrong, and nothing a receiver could fill a memory with. */
const MAX_ANSWER_BYTES = 1_024;

/**
 * Sends a body and reads the beginning of the answer, on a connection of its own. Redirects are answers like any other: what they point to is not asked.
 * @throws what the connection failed of; the signal's reason when it fired before there was an answer
 */
export function post(url: URL, { headers, body, addresses, signal }: PostRequest): Promise<PostAnswer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      lookup: lookupAmong(addresses),
      agent: false,
      signal,
    });
    let answered = false;
    request.on('response', (response) => {
      answered = true;
      void readAnswer(response).then(resolve);
    });
    const fail = (error: Error) => {
      if (!answered) reject(signal.aborted ? (signal.reason as Error) : error);
    };
    request.on('error', fail);
    request.on('close', () => fail(new Error('the connection was closed without an answer')));
    request.end(body);
  });
}

/** An answer counts by its status even where its body never ends or breaks off. */
function readAnswer(response: IncomingMessage): Promise<PostAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) response.destroy();
    });
    response.on('error', () => undefined);
    response.on('close', () =>
      resolve({
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'],
        excerpt: printable(Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES)),
      }),
    );
  });
}

/** PostgreSQL takes no text with a NUL in it, and a terminal obeys other control characters. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

function lookupAmong(addresses: HostAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}
