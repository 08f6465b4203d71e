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

const HEAD_END = '\r\n\r\n';
/** Longest head that is looked at; Node's parser, which takes 16 KiB as well, says what is wrong with a longer one. */
const MOST_HEAD_BYTES = 16 * 1024;
/** Heads that are kept for a connection: as many as its bodies differ in length, as a rule. */
const KEPT_HEADS = 16;

/** A head, and how many bytes it took with the empty line after it. */
export interface FoundHead {
  head: RequestHead;
  bytes: number;
}

interface KeptHead extends FoundHead {
  /** Its bytes, with the empty line. */
  sent: Buffer;
}

/**
 * Reads the heads of one connection. Most senders send the same again and again: bytes that are those of the head before are not made a text, and a text that came before is not read again.
 */
export class HeadReader {
  readonly #kept = new Map<string, KeptHead>();
  #last: KeptHead | null = null;

  /** The head at the beginning of some bytes; undefined where it is not whole yet, null where it is none that {@link readHead} takes. */
  find(bytes: Buffer): FoundHead | null | undefined {
    if (this.#last !== null && beginsWith(bytes, this.#last.sent)) return this.#last;
    const end = bytes.indexOf(HEAD_END);
    if (end === -1 && bytes.length <= MOST_HEAD_BYTES) return undefined;
    if (end === -1 || end > MOST_HEAD_BYTES) return null;
    this.#last = this.#read(bytes.toString('latin1', 0, end));
    return this.#last;
  }

  #read(text: string): KeptHead | null {
    const kept = this.#kept.get(text);
    if (kept !== undefined) return kept;
    const head = readHead(text);
    if (head === null) return null;
    if (this.#kept.size === KEPT_HEADS) this.#kept.clear();
    // Of the text and not of what was received, the whole of which a piece of it would keep.
    const sent = Buffer.from(text + HEAD_END, 'latin1');
    const read = { head, bytes: sent.length, sent };
    this.#kept.set(text, read);
    return read;
  }
}

function beginsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0;
}
