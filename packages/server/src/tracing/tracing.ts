import type { PredictionPhases } from '@perennial/serving';

/** What may stand in a span. Never a feature's value, a key or anything of the caller's body. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';

export interface NewSpan {
  name: string;
  kind: SpanKind;
  /** The `traceparent` of what it belongs to (W3C Trace Context); one that is not well-formed counts as none. */
  traceparent?: string | undefined;
  attributes?: SpanAttributes;
}

/** A span that is under way, as the parts of the platform know it. */
export interface Trace {
  /** What others are given who work for it. */
  readonly traceparent: string;
  /** Whether it will be told to anybody: where not, nothing need be measured for it. */
  readonly sampled: boolean;
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** A part of it that is over: a phase, or a step of a graph. Times are of `performance.now()`. */
  addPart(name: string, part: { startedAt: number; endedAt: number; attributes?: SpanAttributes }): void;
  /** @param failure the error's code, where it failed */
  end(failure?: string): void;
}

/** Traces, where they are wanted; whoever has none of it has `null`, and pays for one comparison. */
export interface Tracing {
  begin(span: NewSpan): Trace;
  /** Sends what is not sent yet, for at most a few seconds. */
  close(): Promise<void>;
}

/** Lays the phases of a prediction out as parts of its trace, one after the other: they are known by their lengths. */
export function addPhases(trace: Trace, startedAt: number, phases: PredictionPhases): void {
  let at = startedAt;
  for (const name of ['validate', 'queue', 'compute', 'record'] as const) {
    const endedAt = at + phases[name];
    trace.addPart(name, { startedAt: at, endedAt });
    at = endedAt;
  }
}

/** Does a job's work under a span, handing on what its own work belongs to; without tracing, as it is. */
export async function traced<Payload extends { traceparent?: string | undefined }>(
  tracing: Tracing | null,
  { name, kind, payload }: { name: string; kind: SpanKind; payload: Payload },
  work: (payload: Payload) => Promise<void>,
): Promise<void> {
  if (tracing === null) return work(payload);
  const trace = tracing.begin({ name, kind, traceparent: payload.traceparent });
  try {
    await work({ ...payload, traceparent: trace.traceparent });
    trace.end();
  } catch (error) {
    trace.end(error instanceof Error ? error.name : 'unknown');
    throw error;
  }
}
