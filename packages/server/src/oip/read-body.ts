import { InvalidRequestError } from '@perennial/contract';
import type { Context } from 'hono';
import { BodyTooLargeError, UnsupportedMediaTypeError } from '../errors.ts';

/** JSON, bytes, or nothing said: clients of the protocol send no type along with tensors. */
const TAKEN = /^(application\/([\w.-]+\+)?json|application\/octet-stream)\s*(;|$)/i;

/**
 * The request's body as it was sent.
 * @throws UnsupportedMediaTypeError, InvalidRequestError where it is compressed, BodyTooLargeError (before more than the limit is held)
 */
export async function readBody(c: Context, maxBytes: number): Promise<Buffer> {
  const length = c.req.header('content-length');
  const [type, encoding] = [c.req.header('content-type'), c.req.header('content-encoding')];
  checkTensorHeaders({ type, encoding, length }, maxBytes);
  // HTTP ends a body at the length that was said, so that such a body can be read in one go: in half the time of its stream.
  if (length !== undefined) return Buffer.from(await c.req.raw.arrayBuffer());
  return readStream(c.req.raw.body, maxBytes);
}

/** What can be said of a body before a byte of it is read. @throws UnsupportedMediaTypeError, InvalidRequestError, BodyTooLargeError */
export function checkTensorHeaders(
  { type, encoding = 'identity', length = '0' }: Record<'type' | 'encoding' | 'length', string | undefined>,
  maxBytes: number,
): void {
  if (type !== undefined && !TAKEN.test(type)) throw new UnsupportedMediaTypeError(type);
  if (encoding !== 'identity')
    throw new InvalidRequestError(`The body is compressed (${encoding.slice(0, 40)}): send it as it is.`);
  if (Number(length) > maxBytes) throw new BodyTooLargeError(maxBytes);
}

async function readStream(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (body !== null) {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks);
}
