import { PerennialError } from '@perennial/contract';
import { QueryFunctionError, type QueryFunction } from '@perennial/pipeline';
import type { Connection } from '../engine.ts';
import { SourceInvalidError } from '../errors.ts';
import type { OpenRows } from '../open-files.ts';
import type { SourceJob } from '../open-source.ts';
import { stageInferredRows } from './inferred-rows.ts';

const BATCH_ROWS = 2_048;

/**
 * Stages the rows that the author's function yields.
 *
 * @throws QueryFunctionError when the function throws
 * @throws SourceInvalidError when it yields something else than rows
 */
export async function stageQuery(connection: Connection, job: SourceJob): Promise<OpenRows> {
  const { name: pipeline } = job.spec;
  if (job.query === undefined) {
    throw new SourceInvalidError('the function of the query is not there', {
      pipeline,
      field: 'data.source',
    });
  }
  const batches = queriedRows(job.query, job);
  return stageInferredRows(connection, {
    pipeline,
    batches,
    noun: 'row',
    none: 'the query function yielded no rows with a value',
  });
}

async function* queriedRows(query: QueryFunction, job: SourceJob): AsyncGenerator<unknown[]> {
  const { bounds, spec } = job;
  const signal = job.signal ?? new AbortController().signal;
  const iterator = await authored(spec.name, () =>
    iteratorOf(query({ from: bounds.from, to: bounds.to, signal })),
  );
  const patience = new Patience(signal);
  let ended = false;
  try {
    for (let batch: unknown[] = []; !ended; batch = []) {
      while (batch.length < BATCH_ROWS) {
        // An author's function need not listen to the signal: the run ends without it then.
        const result = await patience.wait(authored(spec.name, () => iterator.next()));
        if (result.done === true) {
          ended = true;
          break;
        }
        batch.push(result.value);
      }
      if (batch.length > 0) yield batch;
    }
  } finally {
    patience.end();
    if (!ended)
      void Promise.resolve()
        .then(() => iterator.return?.())
        .catch(() => undefined);
  }
}

function iteratorOf(
  rows: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncIterator<unknown> | Iterator<unknown> {
  if (Symbol.asyncIterator in Object(rows)) return (rows as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  if (Symbol.iterator in Object(rows)) return (rows as Iterable<unknown>)[Symbol.iterator]();
  throw new TypeError('it gives nothing that can be iterated; write it as an (async) generator');
}

/** Runs the author's code; what it throws is its error, whatever it is. */
async function authored<Result>(pipeline: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PerennialError) throw cause;
    const thrown = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new QueryFunctionError(thrown, { pipeline, cause });
  }
}

/** Waits for one thing after another, but for none any longer than until the signal is aborted. */
class Patience {
  readonly #signal: AbortSignal;
  readonly #abort = () => this.#giveUp(this.#signal.reason as Error);
  #giveUp: (reason: Error) => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort);
  }

  /**
   * A promise of its own for each wait: `Promise.race` with one that stands for the signal would keep every wait in that one's memory, which was 600 bytes a row.
   * @throws the signal's reason
   */
  wait<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      if (this.#signal.aborted) this.#abort();
      work.then(resolve, reject);
    });
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#abort);
  }
}
