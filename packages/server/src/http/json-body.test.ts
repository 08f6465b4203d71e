import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { BodyTooLargeError, MalformedJsonError, NotUtf8Error, UnsupportedMediaTypeError } from '../errors.ts';
import { readJsonBody } from './json-body.ts';

const LIMIT = 1_000;

/** What the reader made of a request: the body, or the error. */
async function read(init: RequestInit & { duplex?: 'half' }): Promise<unknown> {
  let outcome: unknown;
  const app = new Hono();
  app.post('/', async (c) => {
    outcome = await readJsonBody(c, LIMIT).catch((error: unknown) => error);
    return c.body(null);
  });
  await app.request('/', { method: 'POST', ...init });
  return outcome;
}

/** A body without a length, in chunks; counts how many were taken. */
function chunked(chunks: Uint8Array[]) {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[taken];
        if (chunk === undefined) return controller.close();
        taken += 1;
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => taken };
}
const json = { 'content-type': 'application/json' };
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a JSON body', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON', 'application/ld+json'])(
    'is read as %s',
    async (contentType) => {
      const headers = { 'content-type': contentType };
      expect(await read({ body: '{"a":[1,"ä"]}', headers })).toEqual({ a: [1, 'ä'] });
    },
  );

  it('is an empty object when there is none', async () => {
    expect(await read({})).toEqual({});
    expect(await read({ body: '', headers: json })).toEqual({});
  });

  it('is put together from chunks, a character across two of them included', async () => {
    const whole = bytes('{"city":"Zürich"}');
    const { body } = chunked([whole.slice(0, 11), whole.slice(11)]);
    expect(await read({ body, headers: json, duplex: 'half' })).toEqual({ city: 'Zürich' });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'json', 'text/json'])(
    'is not %s',
    async (contentType) => {
      const outcome = await read({ body: '{}', headers: { 'content-type': contentType } });
      expect(outcome).toBeInstanceOf(UnsupportedMediaTypeError);
      expect((outcome as Error).message).toContain('send application/json');
    },
  );

  it.each(['{', '{"a":NaN}', "{'a':1}", '{"a":1}{', 'undefined', '\ufeff{}', '{"a":1e}'])(
    'is not %j',
    async (body) => {
      expect(await read({ body, headers: json })).toBeInstanceOf(MalformedJsonError);
    },
  );

  it('is not what is no UTF-8, rather than another text', async () => {
    const latin = Buffer.from('{"city":"Zürich"}', 'latin1');
    expect(await read({ body: latin, headers: json })).toBeInstanceOf(NotUtf8Error);
  });
});

describe('a body beyond the limit', () => {
  const exact = JSON.stringify('x'.repeat(LIMIT - 2));

  it('begins one byte after it', async () => {
    expect(await read({ body: exact, headers: json })).toBe('x'.repeat(LIMIT - 2));
    expect(await read({ body: `${exact} `, headers: json })).toBeInstanceOf(BodyTooLargeError);
  });

  it('is refused by its length before a byte of it is read', async () => {
    const { body, taken } = chunked([bytes('x')]);
    const headers = { ...json, 'content-length': String(LIMIT + 1) };
    expect(await read({ body, headers, duplex: 'half' })).toBeInstanceOf(BodyTooLargeError);
    expect(taken()).toBe(0);
  });

  it.each([{}, { 'content-length': '2' }])(
    'is refused as soon as it is reached when its length is not told truly (%j)',
    async (length) => {
      const { body, taken } = chunked(Array.from({ length: 1_000 }, () => bytes('x'.repeat(300))));
      const headers = { ...json, ...length };
      expect(await read({ body, headers, duplex: 'half' })).toBeInstanceOf(BodyTooLargeError);
      expect(taken()).toBe(4);
    },
  );
});
