import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AsyncPrediction } from '@perennial/contract';
import { startWebhookReceiver } from '@perennial/monitoring/testing';
import { startServingPlatform, type ServingPlatform } from '../testing/serving-platform.ts';
import { TraceCollector, type CollectedSpan } from '../testing/trace-collector.ts';

const TOKEN = 'secret-of-the-caller';
const authorization = `Bearer ${TOKEN}`;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${CALLER}-01`;
const UNSAMPLED = `00-${TRACE}-${CALLER}-00`;

async function start(variables: Record<string, string> = {}) {
  const collector = await TraceCollector.start();
  const platform = await startServingPlatform({
    variables: { PERENNIAL_OTLP_ENDPOINT: collector.url, PERENNIAL_ADMIN_TOKEN: TOKEN, ...variables },
  });
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= platform.stop());
  onTestFinished(stop);
  return { collector, platform, stop };
}

function predict(platform: ServingPlatform, traceparent?: string, prefer?: string): Promise<Response> {
  return platform.request('/v1/models/churn/predict', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(prefer === undefined ? {} : { prefer }),
    },
    body: JSON.stringify({ instances: [{ age: 4711 }], keys: ['a-key-of-somebody'] }),
  });
}

const PREDICT = 'POST /v1/models/:model/predict';
const length = ({ startTimeUnixNano: from, endTimeUnixNano: to }: CollectedSpan) => BigInt(to) - BigInt(from);

describe('a prediction', () => {
  it('is told as a part of its caller’s trace, with its phases, and without what it was about', async () => {
    const { collector, platform, stop } = await start();
    expect((await predict(platform, SAMPLED)).status).toBe(200);
    await stop();
    const [server, another] = collector.named(PREDICT);
    expect(another).toBeUndefined();
    expect(server).toMatchObject({
      traceId: TRACE,
      parentSpanId: CALLER,
      kind: 2,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/models/:model/predict',
        'http.response.status_code': 200,
        'perennial.model': 'churn',
        'perennial.version': 1,
        'perennial.rows': 1,
      },
    });
    for (const name of ['validate', 'queue', 'compute', 'record']) {
      const [part] = collector.named(name);
      expect(part).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId });
      expect(length(part as CollectedSpan)).toBeGreaterThanOrEqual(0n);
    }
    expect(collector.text).not.toMatch(/4711|a-key-of-somebody|secret-of-the-caller/);
  });

  it('is not told where its caller’s trace is not, whatever share is told of others', async () => {
    const { collector, platform, stop } = await start();
    await predict(platform, UNSAMPLED);
    await stop();
    expect(collector.spans).toEqual([]);
  });

  it('is told where its caller’s trace is, though nothing that begins here is', async () => {
    const { collector, platform, stop } = await start({ PERENNIAL_TRACE_RATIO: '0' });
    await predict(platform);
    await predict(platform, SAMPLED);
    await stop();
    expect(collector.named(PREDICT).map(({ traceId }) => traceId)).toEqual([TRACE]);
  });

  it('begins a trace of its own where its caller sends none, or none that is one', async () => {
    const { collector, platform, stop } = await start();
    await predict(platform);
    await predict(platform, '00-nothing-of-the-kind-01');
    await platform.request('/healthz');
    await stop();
    const spans = collector.named(PREDICT);
    expect(spans).toHaveLength(2);
    for (const { parentSpanId } of spans) expect(parentSpanId ?? '').toBe('');
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2);
    expect(collector.text).not.toContain('healthz');
  });

  it('that is answered later is worked on in the trace that it was asked in', async () => {
    const receiver = await startWebhookReceiver();
    onTestFinished(() => receiver.close());
    const { collector, platform, stop } = await start({ PERENNIAL_WEBHOOK_ALLOW_PRIVATE: 'true' });
    await platform.request('/v1/webhooks', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ url: receiver.url, events: ['prediction.completed'] }),
    });
    const { id } = (await (await predict(platform, SAMPLED, 'respond-async')).json()) as AsyncPrediction;
    await platform.request(`/v1/async-predictions/${id}?wait=60s`, { headers: { authorization } });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 20_000 });
    await stop();
    const [asked] = collector.named(PREDICT);
    const [worked] = collector.named('prediction.execute');
    expect(worked).toMatchObject({ traceId: TRACE, parentSpanId: asked?.spanId, kind: 5 });
    const [sent] = collector.named('webhook.deliver');
    expect(sent).toMatchObject({ traceId: TRACE, parentSpanId: worked?.spanId, kind: 3 });
    expect(receiver.received[0]?.headers['traceparent']).toBe(`00-${TRACE}-${sent?.spanId ?? ''}-01`);
  });
});
