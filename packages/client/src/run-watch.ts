import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ROUTES, type Run } from '@perennial/contract';
import type { Client } from './client.ts';
import { ConnectionError, UnexpectedAnswerError } from './errors.ts';

/** One message of a run's event stream: a stored event, live progress, or the run as it ended. */
export interface RunMessage {
  /** `event`, `progress` or `end` */
  type: string;
  data: unknown;
}

/**
 * Follows a run by server-sent events until it ends. A server that stops ends the stream before that: the last message is then not `end`.
 * @returns messages in order; the last is `end`, whose data is the {@link Run}
 * @throws ApiError, ConnectionError (also when the stream breaks), UnexpectedAnswerError
 */
export async function* watchRun(
  client: Client,
  run: Run['id'],
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<RunMessage, void, undefined> {
  const { method, path } = ROUTES.listRunEvents;
  const accept = 'text/event-stream';
  const response = await client.transport.send({ method, path, params: { run }, accept, signal });
  const isStream = response.headers.get('content-type')?.startsWith(accept) === true;
  if (!isStream || !response.body) throw new UnexpectedAnswerError(path, response.status);
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  try {
    for await (const { event, data } of events)
      yield { type: event ?? 'message', data: JSON.parse(data) as unknown };
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (cause instanceof SyntaxError) throw new UnexpectedAnswerError(path, response.status, { cause });
    throw new ConnectionError(client.baseUrl, { cause });
  }
}
