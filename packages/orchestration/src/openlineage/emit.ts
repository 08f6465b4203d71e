import { NotFoundError, parseId, type JobPayload } from '@perennial/contract';
import {
  findVersionOfRun,
  getDatasetVersion,
  getRunRow,
  type Database,
  type Executor,
  type RunRow,
} from '@perennial/storage';
import { LineageReceiverError } from '../errors.ts';
import { runEvent, type OpenLineageRunEvent, type Producer, type RunFacts } from './run-event.ts';

/** Where events go. */
export interface LineageReceiver {
  /** The whole address: `http://marquez:5000/api/v1/lineage`. */
  url: string;
  /** Sent as a bearer token; null where none is asked for. */
  apiKey: string | null;
  /** For one attempt. @default 10000 */
  timeoutMilliseconds?: number;
}

export interface EmissionDependencies extends Producer {
  database: Database;
  receiver: LineageReceiver;
  log: (line: { message: string; run: string; error?: unknown }) => void;
}

const TIMEOUT_MILLISECONDS = 10_000;

/** What the event itself is refused for: it will be the same the next time (RFC 9110, sections 15.5.1, 15.5.14 and 15.5.21). */
const FINAL: readonly number[] = [400, 413, 422];

/**
 * Sends the event of a run's state. The queue tries again, with growing pauses, what could not be sent, for three days in all; the run itself has long gone on. An event may arrive more than once, the same
 * each time.
 * @throws LineageReceiverError when the receiver did not take it and may do so later
 */
export async function emitRunEvent(
  { database, receiver, log, ...producer }: EmissionDependencies,
  { run, event }: JobPayload<'lineage.emit'>,
  { signal, lastAttempt }: { signal: AbortSignal; lastAttempt: boolean },
): Promise<void> {
  const facts = await factsOf(database.orm, parseId('run', run));
  if (facts === undefined) return;
  try {
    await post(runEvent(event, facts, producer), receiver, signal);
  } catch (error) {
    const final = error instanceof LineageReceiverError && FINAL.includes(error.status ?? 0);
    if (final || lastAttempt) log({ message: `the OpenLineage event ${event} is given up`, run, error });
    if (!final) throw error;
  }
}

/** Undefined when retention has removed the run meanwhile. */
async function factsOf(db: Executor, id: string): Promise<RunFacts | undefined> {
  const run = await findRun(db, id);
  if (run === undefined) return undefined;
  return {
    run,
    dataset: run.datasetDigest === null ? null : await getDatasetVersion(db, run.datasetDigest),
    version: (await findVersionOfRun(db, id)) ?? null,
  };
}

async function findRun(db: Executor, id: string): Promise<RunRow | undefined> {
  try {
    return await getRunRow(db, id);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function post(
  event: OpenLineageRunEvent,
  { url, apiKey, timeoutMilliseconds = TIMEOUT_MILLISECONDS }: LineageReceiver,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify(event),
    // A redirect would carry the key to another address.
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]),
  }).catch((cause: unknown) => {
    if (signal.aborted) throw signal.reason as Error;
    throw new LineageReceiverError(null, `it could not be reached: ${reasonOf(cause)}`, { cause });
  });
  await response.body?.cancel();
  if (!response.ok) throw new LineageReceiverError(response.status, `it answered ${response.status}`);
}

/** `fetch` says why in its error's cause. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return reason instanceof Error ? reason.message || reason.name : String(reason);
}
