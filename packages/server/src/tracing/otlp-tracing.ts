import {
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  TraceFlags,
  trace as api,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { traceparentSchema } from '@perennial/contract';
import type { NewSpan, SpanAttributes, SpanKind, Trace, Tracing } from './tracing.ts';

export interface OtlpTracingOptions {
  /** Base address of the collector; spans go to `/v1/traces` below it. */
  endpoint: string;
  /** Share of the traces that begin here which are told; one that began elsewhere is told where its caller says so. */
  ratio: number;
  version: string;
}

/** A collector that does not answer must not keep the process from stopping. */
const EXPORT_TIMEOUT_MILLISECONDS = 3_000;

const KINDS: Record<SpanKind, OtelKind> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
  internal: OtelKind.INTERNAL,
};

/** Traces by OpenTelemetry, to a collector over OTLP/HTTP. Loaded only where a collector is named: the library takes a tenth of a second to load. */
export class OtlpTracing implements Tracing {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;

  constructor({ endpoint, ratio, version }: OtlpTracingOptions) {
    const exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
    });
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'perennial', 'service.version': version }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer('perennial', version);
  }

  begin({ name, kind, traceparent, attributes = {} }: NewSpan): Trace {
    const parent = contextOf(traceparent);
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, parent);
    return new OtlpTrace(this.#tracer, span);
  }

  async close(): Promise<void> {
    // What cannot be sent is lost, as it would be a moment later.
    await this.#provider.shutdown().catch(() => undefined);
  }
}

class OtlpTrace implements Trace {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  get sampled(): boolean {
    return this.#span.isRecording();
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes({ ...attributes });
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  addPart(name: string, { startedAt, endedAt, attributes = {} }: Parameters<Trace['addPart']>[1]): void {
    const parent = api.setSpan(ROOT_CONTEXT, this.#span);
    const startTime = performance.timeOrigin + startedAt;
    const part = this.#tracer.startSpan(name, { startTime, attributes: { ...attributes } }, parent);
    part.end(performance.timeOrigin + endedAt);
  }

  end(failure?: string): void {
    if (failure !== undefined) {
      this.#span.setAttribute('error.type', failure);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

function contextOf(traceparent: string | undefined): Context {
  if (!traceparentSchema.safeParse(traceparent).success) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = ''] = (traceparent as string).split('-');
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return api.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
