import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatId, type PipelineSpec, type RunEvent } from '@perennial/contract';
import { appendRunEvent, createRun, savePipeline, transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
beforeEach(async () => {
  test = await startTestPlatform();
});
afterEach(() => test.stop());

/** A run that nobody executes: it is on record, and no job is queued for it. */
async function makeRun(): Promise<string> {
  const id = randomUUID();
  const at = test.clock.now();
  // Streaming reads a run's events; what its definition says is another's matter.
  const spec = { name: 'p' } as unknown as PipelineSpec;
  const codeDigest = `sha256:${'0'.repeat(64)}`;
  await savePipeline(test.database.orm, { spec, codeDigest, loadedAt: at });
  const trigger = { kind: 'request' as const, by: 'test' };
  await createRun(test.database.orm, {
    id,
    spec,
    codeDigest,
    trigger,
    asOf: at,
    force: false,
    createdAt: at,
  });
  return id;
}

function append(runId: string, event: RunEvent): Promise<void> {
  return transaction(test.database, (tx) => appendRunEvent(tx, { runId, at: test.clock.now(), event }));
}

interface Message {
  event: string;
  data: { event?: { type: string }; state?: string };
}

/** The stream's messages one by one. */
async function* watch(id: string): AsyncGenerator<Message, void, undefined> {
  const response = await test.request(`/v1/runs/${formatId('run', id)}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  if (!response.body) throw new Error('The stream has no body.');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const messages = (text + chunk).split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) yield parse(message);
  }
}

function parse(message: string): Message {
  const fields = new Map(message.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return { event: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? '') as Message['data'] };
}

const inShort = ({ event, data }: Message) => data.event?.type ?? `${event} ${data.state}`;

describe('the stream of a run’s events', () => {
  it('begins with what has been, goes on with what happens, and ends with the run', async () => {
    const id = await makeRun();
    const seen: string[] = [];
    for await (const message of watch(id)) {
      seen.push(inShort(message));
      if (seen.length === 1) await append(id, { type: 'cancelled', by: 'test' });
    }
    expect(seen).toEqual(['created', 'cancelled', 'end cancelled']);
  });

  it('is the same for who comes late', async () => {
    const id = await makeRun();
    await append(id, { type: 'cancelled', by: 'test' });
    const seen: string[] = [];
    for await (const message of watch(id)) seen.push(inShort(message));
    expect(seen).toEqual(['created', 'cancelled', 'end cancelled']);
  });

  it('ends without an end when the server stops, and does not keep it from stopping', async () => {
    const id = await makeRun();
    const seen: string[] = [];
    let stopped: Promise<void> | undefined;
    for await (const message of watch(id)) {
      seen.push(inShort(message));
      stopped ??= test.platform.close();
    }
    await expect(stopped).resolves.toBeUndefined();
    expect(seen).toEqual(['created']);
  });

  it('of a run that is not there is a problem', async () => {
    const response = await test.request(`/v1/runs/${formatId('run', randomUUID())}/events`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(response.status).toBe(404);
    const bad = await test.request('/v1/runs/nonsense/events', { headers: { accept: 'text/event-stream' } });
    expect(bad.status).toBe(400);
  });
});
