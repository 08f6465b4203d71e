import type { Config } from '../config/config.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { Closers } from './closers.ts';
import { PLATFORM_VERSION } from './version.ts';

/** Traces where a collector is named; else null, and the library is not even loaded. */
export async function openTracing(
  { tracing }: Pick<Config, 'tracing'>,
  { closers }: { closers: Closers },
): Promise<Tracing | null> {
  if (tracing === null) return null;
  const { OtlpTracing } = await import('../tracing/otlp-tracing.ts');
  const opened = new OtlpTracing({ ...tracing, version: PLATFORM_VERSION });
  closers.add('traces', () => opened.close());
  return opened;
}
