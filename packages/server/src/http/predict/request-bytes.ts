import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError } from '../../errors.ts';

/** The sender went away before its request was whole: there is nobody to be answered. */
export class SenderGoneError extends Error {
  constructor(options: { cause: unknown }) {
    super('The sender of a request went away.', options);
    this.name = 'SenderGoneError';
  }
}

/** Bytes of a body from which room is made for all of it at once: to join 20 MB in the end holds up every other request for 20 ms, as fresh memory does. */
const LONG_BYTES = 64 * 1024;

/** The bytes of a request's body; a long one's are in a memory of their own. @throws BodyTooLargeError as soon as there are more than the limit, SenderGoneError */
export function readRequestBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const said = Number(request.headers['content-length'] ?? 0);
    const gathered = said > LONG_BYTES && said <= maxBytes ? new Room(said) : new Pieces();
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) gathered.add(chunk);
      else {
        request.off('data', onData);
        reject(new BodyTooLargeError(maxBytes));
      }
    };
    request.on('data', onData);
    request.once('end', () => resolve(gathered.whole()));
    request.once('error', (cause) => reject(new SenderGoneError({ cause })));
  });
}

/** Pieces that are joined in the end. Most bodies come in one, which need not be copied. */
class Pieces {
  readonly #chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  whole(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
  }
}

/** Room for as many bytes as the request says that it has, which Node.js holds it to. */
class Room {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: number) {
    // Memory that is not touched is not taken: who says more than is sent costs nothing.
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  add(chunk: Buffer): void {
    this.#at += chunk.copy(this.#bytes, this.#at);
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
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
