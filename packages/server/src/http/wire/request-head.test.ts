import { describe, expect, it } from 'vitest';
import { HeadReader, readHead } from './request-head.ts';

const head = (...lines: string[]) => ['POST /v1/x HTTP/1.1', 'Host: a', ...lines].join('\r\n');

describe('a plain head', () => {
  it('is read, names in lower case, values without what surrounds them', () => {
    const found = readHead(head('Content-Length: 12', 'X-Odd:\t a b \t', 'Empty:', 'connection: Keep-Alive'));
    expect(found).toMatchObject({ method: 'POST', url: '/v1/x', contentLength: 12 });
    expect({ ...found?.headers }).toEqual({
      host: 'a',
      'content-length': '12',
      'x-odd': 'a b',
      empty: '',
      connection: 'Keep-Alive',
    });
  });

  it('without a length has no body', () => {
    expect(readHead('GET / HTTP/1.1\r\nhost: a')).toMatchObject({ method: 'GET', contentLength: 0 });
  });

  it('may name a field as something of every object is named', () => {
    expect(readHead(head('constructor: 1', 'toString: 2'))?.headers).toMatchObject({ constructor: '1' });
    expect(readHead(head('__proto__: 1'))?.headers['__proto__']).toBe('1');
  });
});

describe('left to another reader is a head', () => {
  it.each([
    ['of another version', 'POST / HTTP/1.0\r\nHost: a'],
    ['of another method', 'PUT / HTTP/1.1\r\nHost: a'],
    ['with an absolute address', 'GET http://a/ HTTP/1.1\r\nHost: a'],
    ['with a space in its address', 'GET /a b HTTP/1.1\r\nHost: a'],
    ['with a byte beyond ASCII in its address', 'GET /\u00e9 HTTP/1.1\r\nHost: a'],
    ['without a host', 'GET / HTTP/1.1'],
    ['with two hosts', head('host: b')],
    ['with two lengths', head('Content-Length: 1', 'content-length: 1')],
    ['with a signed length', head('Content-Length: +1')],
    ['with a list of lengths', head('Content-Length: 1, 1')],
    ['with a length in another base', head('Content-Length: 0x10')],
    ['with a length that begins with zero', head('Content-Length: 01')],
    ['with an empty length', head('Content-Length:')],
    ['in chunks', head('Transfer-Encoding: chunked')],
    ['in chunks and with a length', head('Content-Length: 3', 'transfer-encoding: chunked')],
    ['with a space before the colon', head('Content-Length : 3')],
    ['with a folded line', head('X: a', ' b')],
    ['with an empty line', head('', 'X: a')],
    ['with a line feed alone', head('X: a\nContent-Length: 3')],
    ['with a carriage return alone', head('X: a\rb')],
    ['with a NUL', head('X: a\0b')],
    ['with a byte beyond ASCII', head('X: \u00e9')],
    ['with a field without a name', head(': a')],
    ['that expects', head('Expect: 100-continue')],
    ['that upgrades', head('Upgrade: h2c')],
    ['that ends the connection', head('Connection: close')],
    ['that names fields of its connection', head('Connection: keep-alive, x-a')],
    ['that is nothing', ''],
  ])('%s', (_what, text) => {
    expect(readHead(text)).toBeNull();
  });
});

describe('the heads of one connection', () => {
  const found = (heads: HeadReader, text: string) => heads.find(Buffer.from(`${text}\r\n\r\n`, 'latin1'));

  it('are read once where they are the same, others between them or not', () => {
    const heads = new HeadReader();
    const text = head('Content-Length: 12');
    const first = found(heads, text)?.head;
    expect(first).toEqual(readHead(text));
    expect(found(heads, text)?.head).toBe(first);
    found(heads, head('Content-Length: 13'));
    expect(found(heads, text)?.head).toBe(first);
  });

  it('are read each for itself, however many there are', () => {
    const heads = new HeadReader();
    for (const round of [1, 2]) {
      for (let length = 0; length < 40; length++) {
        const text = head(`Content-Length: ${length}`, `Round: ${round}`);
        expect(found(heads, text)?.head).toEqual(readHead(text));
      }
    }
    expect(found(heads, '')).toBeNull();
  });

  it('are found at the beginning of bytes, the same ones again without a look at their text', () => {
    const heads = new HeadReader();
    const bytes = Buffer.from(`${head('Content-Length: 12')}\r\n\r\n{"a":1,"b":2}`, 'latin1');
    const found = heads.find(bytes);
    expect(found?.head.contentLength).toBe(12);
    expect(bytes.toString('latin1', found?.bytes)).toBe('{"a":1,"b":2}');
    expect(heads.find(Buffer.from(bytes))).toBe(found);
    // Bytes that were given may be used for something else afterwards.
    bytes.fill(0);
    expect(heads.find(Buffer.from(`${head('Content-Length: 12')}\r\n\r\n`, 'latin1'))).toBe(found);
  });

  it('are told from others that begin or end alike', () => {
    const heads = new HeadReader();
    const one = `${head('Content-Length: 12')}\r\n\r\n`;
    expect(heads.find(Buffer.from(one))?.head.contentLength).toBe(12);
    const other = `${head('Content-Length: 13')}\r\n\r\n`;
    expect(heads.find(Buffer.from(other))?.head.contentLength).toBe(13);
    expect(heads.find(Buffer.from(one))?.head.contentLength).toBe(12);
    expect(heads.find(Buffer.from(one.slice(0, -1)))).toBeUndefined();
    expect(heads.find(Buffer.from(`${head('Expect: 100-continue')}\r\n\r\n`))).toBeNull();
    expect(heads.find(Buffer.alloc(16 * 1024 + 1, 'a'))).toBeNull();
  });
});
