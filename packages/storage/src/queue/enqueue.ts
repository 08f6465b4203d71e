import { sql } from 'drizzle-orm';
import { InvalidRequestError, JOB_PAYLOADS, type JobKind, type JobPayload } from '@perennial/contract';
import type { Executor } from '../repositories/executor.ts';

/** A unit of work to be queued. */
export interface NewJob<Kind extends JobKind> {
  kind: Kind;
  payload: JobPayload<Kind>;
  /** A job that waits under the same key is replaced by this one, so that there are never two. */
  jobKey?: string;
  /** Not before. @default at once */
  runAt?: Date;
  /** Jobs of one series run one after the other, in the order of their due times, whatever the number of workers. */
  series?: string;
  /** How often it is tried in all, with growing pauses. @default 25 */
  maxAttempts?: number;
}

/**
 * Queues a job. Called in a transaction, the job is there if and only if the transaction's rows are.
 *
 * A series is what graphile-worker calls a named queue; our queues (`JOB_QUEUES`) say which workers take a job, and are no matter of its.
 * @returns the job's id
 * @throws InvalidRequestError when the payload is not that of its kind
 */
export async function enqueue<Kind extends JobKind>(tx: Executor, job: NewJob<Kind>): Promise<string> {
  const payload = JSON.stringify(parsePayload(job.kind, job.payload));
  const [row] = await tx.execute<{ id: string }>(sql`
    select id::text from graphile_worker.add_job(${job.kind}, ${payload}::text::json,
      queue_name => ${job.series ?? null}::text,
      run_at => ${job.runAt?.toISOString() ?? null}::timestamptz,
      max_attempts => ${job.maxAttempts ?? null}::int,
      job_key => ${job.jobKey ?? null}::text)`);
  if (row === undefined) throw new Error('graphile_worker.add_job returned no job.');
  return row.id;
}

/**
 * The payload of a job of that kind, checked.
 * @throws InvalidRequestError
 */
export function parsePayload<Kind extends JobKind>(kind: Kind, payload: unknown): JobPayload<Kind> {
  const result = JOB_PAYLOADS[kind].safeParse(payload);
  if (result.success) return result.data as JobPayload<Kind>;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new InvalidRequestError(`The payload of the job ${kind} is not valid.`, issues);
}
