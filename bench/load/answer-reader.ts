const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/**
 * Finds where HTTP/1.1 answers end in what a connection receives, as cheaply as that can be told: the load must cost less than what it measures. Knows Content-Length and
 * chunks, and takes what closes the connection for whole.
 */
export class AnswerReader {
  readonly #onAnswer: (status: number, keepAlive: boolean) => void;
  #pending: Buffer = NOTHING;
  #status = 0;
  #keepAlive = true;
  /** Bytes of the body that are still to come; null: in chunks, undefined: between answers. */
  #left: number | null | undefined;

  constructor(onAnswer: (status: number, keepAlive: boolean) => void) {
    this.#onAnswer = onAnswer;
  }

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#step());
  }

  #step(): boolean {
    if (this.#left === undefined) return this.#readHead();
    return this.#left === null ? this.#readChunk() : this.#readBody(this.#left);
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf(HEAD_END);
    if (end === -1) return false;
    const head = this.#pending.toString('latin1', 0, end);
    this.#status = Number(head.slice(9, 12));
    this.#keepAlive = !/\r\nconnection: *close/i.test(head);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.#left = length ? Number(length[1]) : null;
    this.#pending = this.#pending.subarray(end + HEAD_END.length);
    return true;
  }

  #readBody(left: number): boolean {
    if (this.#pending.length < left) {
      this.#left = left - this.#pending.length;
      this.#pending = NOTHING;
      return false;
    }
    this.#pending = this.#pending.subarray(left);
    return this.#finish();
  }

  #readChunk(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end === -1) return false;
    const size = Number.parseInt(this.#pending.toString('latin1', 0, end), 16);
    const next = end + 2 + size + 2;
    if (this.#pending.length < next) return false;
    this.#pending = this.#pending.subarray(next);
    return size === 0 ? this.#finish() : true;
  }

  #finish(): boolean {
    this.#left = undefined;
    this.#onAnswer(this.#status, this.#keepAlive);
    return this.#pending.length > 0;
  }
}
