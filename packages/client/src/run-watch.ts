import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Run } from '@perennial/contract';
import type { Client } from './client.ts';
import { ConnectionError, UnexpectedAnswerError } from './errors.ts';

/** One message of a run's event stream: a stored event, live progress, or the run as it ended. */
export interface RunMessage {
  /** `event`, `progress` or `end` */
  type: string;
  data: unknown;
}

/**
 * Follows a run by server-sent events until it ends.
 * @returns messages in order; the last is `end`, whose data is the {@link Run}
 */
export async function* watchRun(
  client: Client,
  run: Run['id'],
  { token, signal }: { token?: string; signal?: AbortSignal } = {},
): AsyncGenerator<RunMessage, void, undefined> {
  const url = new URL(`/v1/runs/${run}/events`, client.baseUrl);
  const headers = {
    accept: 'text/event-stream',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(url, { headers, ...(signal ? { signal } : {}) }).catch((cause: unknown) => {
    throw new ConnectionError(client.baseUrl, { cause });
  });
  if (!response.ok || !response.body) throw new UnexpectedAnswerError(url.pathname, response.status);
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of events)
    yield { type: event ?? 'message', data: JSON.parse(data) as unknown };
}
