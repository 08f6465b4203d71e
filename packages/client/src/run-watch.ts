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
  yield* parseEventStream(response.body.pipeThrough(new TextDecoderStream()));
}

/** The event-stream format of the HTML standard, section 9.2, as far as our server writes it: `event`, `data` and comments. */
async function* parseEventStream(chunks: AsyncIterable<string>): AsyncGenerator<RunMessage, void, undefined> {
  let pending = '';
  for await (const chunk of chunks) {
    const blocks = (pending + chunk).split('\n\n');
    pending = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = parseBlock(block);
      if (message) yield message;
    }
  }
}

function parseBlock(block: string): RunMessage | undefined {
  let type = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) type = line.slice(7);
    else if (line.startsWith('data: ')) data.push(line.slice(6));
  }
  return data.length === 0 ? undefined : { type, data: JSON.parse(data.join('\n')) as unknown };
}
