import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type JobPayload, type Run } from '@perennial/contract';
import { LineageReceiverError } from '../errors.ts';
import { startTestReceiver, type TestReceiver } from '../testing/lineage-receiver.ts';
import { OPENLINEAGE_RUN_EVENT } from '../testing/openlineage-schema.ts';
import { PIPELINE, RunBench } from '../testing/run-bench.ts';
import { emitRunEvent, type EmissionDependencies } from './emit.ts';

const validate = addFormats.default(new Ajv2020({ allErrors: true })).compile(OPENLINEAGE_RUN_EVENT);

let bench: RunBench;
let receiver: TestReceiver;
let given: string[];
beforeEach(async () => {
  bench = await RunBench.open();
  receiver = await startTestReceiver();
  given = [];
});
afterEach(async () => {
  await receiver.close();
  await bench.close();
});

const signal = () => new AbortController().signal;
const executor = () => bench.executor({ announce: true });

async function execute(run: Run): Promise<void> {
  await executor().execute(run.id, { signal: signal(), lastAttempt: false });
}

/** The jobs that wait to be sent, in the order in which they were queued. */
async function announced(): Promise<JobPayload<'lineage.emit'>[]> {
  const rows = await bench.database.sql<{ payload: JobPayload<'lineage.emit'> }[]>`
    select j.payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
    where t.identifier = 'lineage.emit' order by j.id`;
  return rows.map(({ payload }) => payload);
}

function dependencies(changes: Partial<EmissionDependencies> = {}): EmissionDependencies {
  return {
    database: bench.database,
    receiver: { url: receiver.url, apiKey: 'a-key', timeoutMilliseconds: 10_000 },
    namespace: 'test',
    platformVersion: '0.1.0',
    folderOf: () => bench.folder,
    log: ({ message }) => void given.push(message),
    ...changes,
  };
}

async function emit(
  job: JobPayload<'lineage.emit'>,
  { lastAttempt = false, ...changes }: Partial<EmissionDependencies> & { lastAttempt?: boolean } = {},
): Promise<void> {
  await emitRunEvent(dependencies(changes), job, { signal: signal(), lastAttempt });
}

async function emitAll(): Promise<TestReceiver['events']> {
  for (const job of await announced()) await emit(job);
  for (const event of receiver.events) {
    validate(event);
    expect(validate.errors).toBeNull();
  }
  return receiver.events;
}

describe('a run that an OpenLineage receiver is told of', { timeout: 60_000 }, () => {
  it('starts and completes once each, with its files, its dataset version and its model version', async () => {
    const run = await bench.start();
    await execute(run);
    const [start, complete, ...more] = await emitAll();
    expect(more).toEqual([]);
    const job = { namespace: 'test', name: PIPELINE };
    const runId = parseId('run', run.id);
    expect(start).toMatchObject({ eventType: 'START', run: { runId }, job, inputs: [], outputs: [] });
    const file = await readFile(join(bench.folder, 'visits.csv'));
    const { dataset, startedAt, endedAt } = await bench.read(run);
    expect(start?.eventTime).toBe(startedAt);
    const path = join(bench.folder, 'visits.csv');
    expect(complete).toMatchObject({
      eventType: 'COMPLETE',
      eventTime: endedAt,
      producer: 'urn:perennial:platform:0.1.0',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
      run: { runId },
      job,
      inputs: [
        {
          namespace: 'file',
          name: path,
          facets: {
            version: { datasetVersion: `sha256:${createHash('sha256').update(file).digest('hex')}` },
            dataSource: { uri: pathToFileURL(path).href },
          },
        },
      ],
      outputs: [
        {
          namespace: 'test',
          name: `datasets/${PIPELINE}`,
          facets: {
            version: { datasetVersion: dataset },
            schema: { fields: [{ name: 'pages', type: 'number' }] },
            dataQualityMetrics: { rowCount: 540, fileCount: 3, quarantinedRows: 0 },
          },
          outputFacets: { outputStatistics: { rowCount: 540 } },
        },
        { namespace: 'test', name: `models/${PIPELINE}`, facets: { version: { datasetVersion: '1' } } },
      ],
    });
    expect(complete?.job.facets).toMatchObject({ sourceCode: { sourceCode: `sha256:${'0'.repeat(64)}` } });
    expect(receiver.headers[0]).toMatchObject({ authorization: 'Bearer a-key' });
  });

  it('fails with its error, and with what it had made by then', async () => {
    await execute(await bench.start('broken'));
    const events = await emitAll();
    expect(events.map(({ eventType }) => eventType)).toEqual(['START', 'FAIL']);
    const error = events[1]?.run.facets['errorMessage'];
    expect(error?.['message']).toMatch(/^source-invalid: .*nowhere\.csv/);
    expect(events[1]?.outputs).toEqual([]);
  });

  it('is begun again by another worker without starting anew', async () => {
    bench.store.failures = 3;
    const run = await bench.start();
    await expect(execute(run)).rejects.toThrow();
    await execute(run);
    expect((await announced()).map(({ event }) => event)).toEqual(['START', 'COMPLETE']);
  });

  it('is aborted when it is cancelled, and says nothing when it never began', async () => {
    const begun = await bench.start();
    bench.store.beforeGet = async () => {
      bench.store.beforeGet = async () => undefined;
      await bench.runs.cancel(begun.id, { by: 'test', origin: 'test' });
    };
    await execute(begun);
    const waiting = await bench.start();
    await bench.runs.cancel(waiting.id, { by: 'test', origin: 'test' });
    const events = await emitAll();
    expect(events.map(({ eventType }) => eventType)).toEqual(['START', 'ABORT']);
    expect(events[1]?.run.runId).toBe(parseId('run', begun.id));
  });

  it('names the backfill that it is a day of', async () => {
    const run = await bench.start('broken');
    const backfill = bench.ids.next();
    await bench.database.sql`update runs set backfill_id = ${backfill} where id = ${parseId('run', run.id)}`;
    await emit({ run: run.id, event: 'START' });
    expect(receiver.events[0]?.run.facets['parent']).toMatchObject({
      run: { runId: backfill },
      job: { namespace: 'test', name: 'broken/backfill' },
    });
    expect(validate(receiver.events[0])).toBe(true);
  });

  it('is told of by nobody where no receiver is set up', async () => {
    await bench.execute(await bench.start('broken'));
    expect(await announced()).toEqual([]);
  });
});

describe('sending an event', { timeout: 60_000 }, () => {
  const start = async () => ({ run: (await bench.start('broken')).id, event: 'START' as const });

  it('gives the same event each time, so that one which came twice counts once', async () => {
    const job = await start();
    await emit(job);
    await emit(job);
    const [first, second] = receiver.events;
    expect(second).toEqual(first);
  });

  it.each([500, 503, 401, 404, 302])('is tried again when the receiver answers %i', async (status) => {
    receiver.answer = status;
    await expect(emit(await start())).rejects.toMatchObject({ code: 'unavailable', status });
    expect(receiver.events).toHaveLength(1);
    expect(given).toEqual([]);
  });

  it.each([400, 413, 422])('ends when the receiver finds the event itself wrong (%i)', async (status) => {
    receiver.answer = status;
    await emit(await start());
    expect(given).toEqual(['the OpenLineage event START is given up']);
  });

  it('is tried again when nobody is there, or nobody answers', async () => {
    const job = await start();
    receiver.answer = 0;
    const slow = { url: receiver.url, apiKey: null, timeoutMilliseconds: 50 };
    await expect(emit(job, { receiver: slow })).rejects.toThrow(/could not be reached/);
    await receiver.close();
    await expect(emit(job)).rejects.toBeInstanceOf(LineageReceiverError);
    await expect(emit(job, { lastAttempt: true })).rejects.toBeInstanceOf(LineageReceiverError);
    expect(given).toEqual(['the OpenLineage event START is given up']);
  });

  it('stops with its worker', async () => {
    const job = await start();
    const stopped = AbortSignal.abort(new Error('The worker stops.'));
    await expect(emitRunEvent(dependencies(), job, { signal: stopped, lastAttempt: false })).rejects.toThrow(
      'The worker stops.',
    );
  });

  it('says nothing of a run that is no more', async () => {
    await emit({ run: `run_${bench.ids.next()}`, event: 'COMPLETE' });
    expect(receiver.events).toEqual([]);
  });
});
