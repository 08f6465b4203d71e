import type { IncomingHttpHeaders } from 'node:http';

/** A request in front of the app, whatever read it: Node's own server, or a connection of ours. */
export interface FrontRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
  /** Of the other end of the connection; undefined once it is gone. */
  readonly remoteAddress: string | undefined;
  /** The whole body. @throws BodyTooLargeError as soon as there is more than the limit, SenderGoneError */
  readBody: (maxBytes: number) => Buffer | Promise<Buffer>;
  /** Sends the one answer. */
  answer: (answer: FrontAnswer) => void;
  /** What is left to be sent of a request that was refused before it was whole is let pass for a moment, so that the sender reads the refusal. */
  drain: () => void;
}

export interface FrontAnswer {
  status: number;
  /** Names and values in turn, without those of the connection and the message. */
  headers: readonly string[];
  requestId: string;
  body: string | Uint8Array;
  /** Whether the sender, which was told to come back later, need not be heard for a moment. @default false */
  rests?: boolean;
}

/** Answers some requests in front of the app; false leaves one to the app, untouched. */
export interface Front {
  take: (request: FrontRequest) => boolean;
}
