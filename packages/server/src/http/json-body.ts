import { isUtf8 } from 'node:buffer';
import type { Context } from 'hono';
import { BodyTooLargeError, MalformedJsonError, NotUtf8Error, UnsupportedMediaTypeError } from '../errors.ts';

/**
 * The request's body as JSON; an empty body is an empty object.
 * @throws UnsupportedMediaTypeError, BodyTooLargeError (before more than the limit is held), NotUtf8Error, MalformedJsonError
 */
export async function readJsonBody(c: Context, maxBytes: number): Promise<unknown> {
  checkBodyHeaders(c.req.header('content-type'), c.req.header('content-length'), maxBytes);
  return parseJson(await readBytes(c.req.raw.body, maxBytes));
}

/** What can be said of a body before a byte of it is read. @throws UnsupportedMediaTypeError, BodyTooLargeError */
export function checkBodyHeaders(
  contentType: string | undefined,
  contentLength: string | undefined,
  maxBytes: number,
): void {
  if (
    contentType !== undefined &&
    contentType !== 'application/json' &&
    !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType)
  )
    throw new UnsupportedMediaTypeError(contentType);
  if (Number(contentLength ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
}

/** Bytes as JSON; none are an empty object. @throws NotUtf8Error, MalformedJsonError */
export function parseJson(whole: Uint8Array): unknown {
  if (whole.length === 0) return {};
  // Decoding would put U+FFFD for what is not UTF-8, and a prediction would be made for a value that nobody sent.
  if (!isUtf8(whole)) throw new NotUtf8Error();
  const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw new MalformedJsonError({ cause });
  }
}

async function readBytes(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  if (!body) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
