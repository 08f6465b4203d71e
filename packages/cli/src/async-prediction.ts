import { randomUUID } from 'node:crypto';
import { ConnectionError, type Client } from '@perennial/client';
import { LONGEST_ASYNC_WAIT, type AsyncPrediction, type RouteInput } from '@perennial/contract';
import { BadOutcomeError } from './errors.ts';
import { writeJson, type Output } from './output.ts';

/** A request that no answer came to is sent so many times: its key tells the server that it is the same one. */
const ATTEMPTS = 3;

/**
 * Asks for a prediction that is answered later and, where it is to be waited for, asks for its result until it has ended.
 * @throws BadOutcomeError when it was waited for and failed
 */
export async function predictLater(
  client: Client,
  { request, wait }: { request: RouteInput<'predictAsync'>; wait: boolean },
  output: Output,
): Promise<void> {
  const idempotencyKey = randomUUID();
  const taken = await persist(() => client.predictAsync(request, { idempotencyKey }));
  if (!wait) return writeJson(output, taken);
  let prediction: AsyncPrediction = taken;
  while (prediction.state === 'queued' || prediction.state === 'running') {
    const params = { asyncPrediction: taken.id };
    prediction = await persist(() =>
      client.getAsyncPrediction({ params, query: { wait: LONGEST_ASYNC_WAIT } }),
    );
  }
  writeJson(output, prediction);
  if (prediction.state === 'failed') throw new BadOutcomeError(1);
}

async function persist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ConnectionError) || attempt === ATTEMPTS) throw error;
    }
  }
}
