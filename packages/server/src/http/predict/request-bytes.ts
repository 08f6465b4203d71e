import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError } from '../../errors.ts';

/** The sender went away before its request was whole: there is nobody to be answered. */
export class SenderGoneError extends Error {
  constructor(options: { cause: unknown }) {
    super('The sender of a request went away.', options);
    this.name = 'SenderGoneError';
  }
}

/** The bytes of a request's body. @throws BodyTooLargeError as soon as there are more than the limit, SenderGoneError */
export function readRequestBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        request.off('data', onData);
        reject(new BodyTooLargeError(maxBytes));
      }
    };
    request.on('data', onData);
    // Most bodies come in one piece, which need not be copied.
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.once('error', (cause) => reject(new SenderGoneError({ cause })));
  });
}

/** How long a request that was refused may go on sending, in milliseconds. */
const DRAIN_MILLISECONDS = 500;

/** Lets a request that was refused before it was whole send the rest for a moment, so that it reads the refusal; then ends the connection. */
export function drainRequest(request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.socket.destroySoon(), DRAIN_MILLISECONDS).unref();
  request.once('end', () => clearTimeout(timer));
}
