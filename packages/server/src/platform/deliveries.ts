import { deliverWebhook } from '@perennial/monitoring';
import { startWorker } from '@perennial/storage';
import type { Config } from '../config/config.ts';
import { traced } from '../tracing/tracing.ts';
import type { PlatformParts } from './parts.ts';

/** So many receivers may keep us waiting, each up to the time limit of an attempt, before others have to wait as well. */
const CONCURRENCY = 4;

/**
 * Starts a worker of its own for what goes to webhooks: a receiver that does not answer holds up no run and no decision about one. Any number of processes may do
 * this on one database.
 */
export async function startDeliveries(
  config: Config,
  { database, clock, closers, logger, tracing }: PlatformParts,
): Promise<void> {
  const network = config.webhooks;
  const log = ({ message, ...ids }: { message: string; delivery: string; webhook: string }) =>
    logger.warn(ids, message);
  const worker = await startWorker({
    database,
    concurrency: CONCURRENCY,
    handlers: {
      'webhook.deliver': (payload, { signal }) =>
        // What happened in no trace begins none: most events are of no request.
        payload.traceparent === undefined
          ? deliverWebhook({ database, clock, network, log }, payload, signal)
          : traced(tracing, { name: 'webhook.deliver', kind: 'client', payload }, (inside) =>
              deliverWebhook({ database, clock, network, log }, inside, signal),
            ),
    },
    log: (level, message) => logger[level === 'warning' ? 'warn' : level](message),
  });
  closers.add('webhook deliveries', () => worker.stop());
}
