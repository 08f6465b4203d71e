import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A span as it arrived, with its attributes as an object. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Record<string, unknown>;
}

type Attribute = { key: string; value: Record<string, unknown> };
interface ExportBody {
  resourceSpans: {
    scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & { attributes?: Attribute[] })[] }[];
  }[];
}

/** A collector of traces over OTLP/HTTP, in JSON (opentelemetry.io/docs/specs/otlp). */
export class TraceCollector {
  readonly spans: CollectedSpan[] = [];
  /** All that was sent, as text. */
  text = '';
  url = '';

  static async start(): Promise<TraceCollector> {
    const collector = new TraceCollector();
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        if (request.url === '/v1/traces') collector.#take(body as ExportBody);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return collector;
  }

  named(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  #take(body: ExportBody): void {
    this.text += JSON.stringify(body);
    for (const { scopeSpans } of body.resourceSpans)
      for (const { spans } of scopeSpans)
        for (const { attributes = [], ...span } of spans) {
          const pairs = attributes.map(({ key, value }) => [key, Object.values(value)[0]] as const);
          this.spans.push({ ...span, attributes: Object.fromEntries(pairs) });
        }
  }
}
