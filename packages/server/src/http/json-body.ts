import { isUtf8 } from 'node:buffer';
import type { Context } from 'hono';
import { BodyTooLargeError, MalformedJsonError, NotUtf8Error, UnsupportedMediaTypeError } from '../errors.ts';

/**
 * The request's body as JSON; an empty body is an empty object.
 * @throws UnsupportedMediaTypeError, BodyTooLargeError (before more than the limit is held), NotUtf8Error, MalformedJsonError
 */
export async function readJsonBody(c: Context, maxBytes: number): Promise<unknown> {
  const contentType = c.req.header('content-type');
  if (contentType !== undefined && !/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType)) {
    throw new UnsupportedMediaTypeError(contentType);
  }
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  const text = await readText(c.req.raw.body, maxBytes);
  if (text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new MalformedJsonError({ cause });
  }
}

async function readText(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  // Decoding would put U+FFFD for what is not UTF-8, and a prediction would be made for a value that nobody sent.
  if (!isUtf8(whole)) throw new NotUtf8Error();
  return whole.toString('utf8');
}
