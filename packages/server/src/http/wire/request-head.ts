import type { IncomingHttpHeaders } from 'node:http';

/** What stands before the body of a request. */
export interface RequestHead {
  method: string;
  url: string;
  /** By lower-case name; none of them twice. */
  headers: IncomingHttpHeaders;
  /** Bytes of the body. */
  contentLength: number;
}

const REQUEST_LINE = /^(GET|POST) (\/[!-~]*) HTTP\/1\.1$/;
/** A token and a value of visible ASCII, spaces and tabs (RFC 9110, 5.1, 5.5). */
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~]*)$/;
const LENGTH = /^(0|[1-9]\d{0,14})$/;

/** Fields that change how a message or the connection is to be read. */
const SPECIAL = new Set(['transfer-encoding', 'upgrade', 'expect', 'te', 'trailer', 'proxy-connection']);

/**
 * Reads the head of a request, without the empty line, where it is of the plainest kind: HTTP/1.1, GET or POST, a body with Content-Length or none, every field once. Null for any other: it, and all that
 * is not a request at all, is for Node's parser to read or to refuse, so that no two readers can ever take one message for different ones (request smuggling; RFC 9112, 11.2).
 */
export function readHead(text: string): RequestHead | null {
  const [first = '', ...lines] = text.split('\r\n');
  const [, method, url] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined || url === undefined) return null;
  const headers: IncomingHttpHeaders = Object.create(null) as IncomingHttpHeaders;
  for (const line of lines) {
    const [, field, value] = FIELD.exec(line) ?? [];
    if (field === undefined || value === undefined) return null;
    const name = field.toLowerCase();
    if (SPECIAL.has(name) || name in headers) return null;
    headers[name] = value.trimEnd();
  }
  const length = headers['content-length'] ?? '0';
  const keepsAlive = /^keep-alive$/i.test(headers.connection ?? 'keep-alive');
  if (!LENGTH.test(length) || !keepsAlive || headers.host === undefined) return null;
  return { method, url, headers, contentLength: Number(length) };
}

/** Reads the heads of one connection. Most senders send the same again, or the same with another length: it is not read again then. */
export class HeadReader {
  #text = '';
  #head: RequestHead | null = null;
  /** What stands before and after the length in the last text. */
  #around: { before: string; after: string } | null = null;

  /** As {@link readHead}. */
  read(text: string): RequestHead | null {
    if (text === this.#text) return this.#head;
    const head = this.#withOtherLength(text) ?? readHead(text);
    this.#text = text;
    this.#head = head;
    this.#around ??= head && aroundLength(text, head);
    return head;
  }

  #withOtherLength(text: string): RequestHead | null {
    const [head, around] = [this.#head, this.#around];
    if (head === null || around === null) return null;
    const { before, after } = around;
    const length = text.slice(before.length, text.length - after.length);
    if (!LENGTH.test(length) || !text.startsWith(before) || !text.endsWith(after)) {
      this.#around = null;
      return null;
    }
    const headers = Object.assign(Object.create(null) as IncomingHttpHeaders, head.headers);
    headers['content-length'] = length;
    return { ...head, headers, contentLength: Number(length) };
  }
}

function aroundLength(text: string, { headers }: RequestHead): { before: string; after: string } | null {
  const found = /\r\ncontent-length:[ \t]*/i.exec(text);
  if (found === null) return null;
  const start = found.index + found[0].length;
  const end = start + (headers['content-length']?.length ?? 0);
  return { before: text.slice(0, start), after: text.slice(end) };
}
