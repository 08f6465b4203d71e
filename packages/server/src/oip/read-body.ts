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
  const contentType = c.req.header('content-type');
  if (contentType !== undefined && !TAKEN.test(contentType)) throw new UnsupportedMediaTypeError(contentType);
  const encoding = c.req.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new InvalidRequestError(`The body is compressed (${encoding.slice(0, 40)}): send it as it is.`);
  const length = c.req.header('content-length');
  if (Number(length ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  // HTTP ends a body at the length that was said, so that such a body can be read in one go: in half the time of its stream.
  if (length !== undefined) return Buffer.from(await c.req.raw.arrayBuffer());
  return readStream(c.req.raw.body, maxBytes);
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
