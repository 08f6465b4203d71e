import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { main } from '@perennial/cli';
import type { Backfill, TriggerRecord } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { runToEnd, startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 15, perDay: 200 });
const QUIET = "limits: { quietHours: { from: '00:00', to: '23:59', timezone: 'UTC' } },";

let test: TestPlatform;

beforeAll(async () => {
  const train = 'mlp({ hidden: [4], epochs: 1, batchSize: 128 })';
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({ name: 'visits', train }),
      'pipelines/fed/pipeline.ts': pipelineSource({
        name: 'fed',
        train,
        more: "triggers: { stream: { stream: 'clicks', events: 3, within: '10m' } },",
      }),
      'pipelines/quiet/pipeline.ts': pipelineSource({
        name: 'quiet',
        train,
        more: `schedule: '0 4 * * *', ${QUIET}`,
      }),
      'pipelines/watched.csv': toCsv(visits),
      'pipelines/watched/pipeline.ts': pipelineSource({
        name: 'watched',
        train,
        file: '../watched.csv',
        more: "triggers: { files: { settle: '1s' } },",
      }),
    },
  });
}, 120_000);
afterAll(() => test.stop());

async function perennial(...command: string[]) {
  const said = { out: '', error: '' };
  const status = await main(['node', 'perennial', ...command, '--url', test.platform.url], {
    write: (text) => void (said.out += text),
    writeError: (text) => void (said.error += text),
    interactive: false,
  });
  return { status, ...said };
}

async function triggersOf(pipeline: string): Promise<TriggerRecord[]> {
  const { out } = await perennial('triggers', pipeline, '--json');
  return JSON.parse(out) as TriggerRecord[];
}

/** The scheduler looks every second. */
async function firstTriggerOf(pipeline: string): Promise<TriggerRecord | undefined> {
  await expect.poll(() => triggersOf(pipeline), { timeout: 20_000 }).not.toEqual([]);
  return (await triggersOf(pipeline)).at(-1);
}

describe('perennial backfill', () => {
  it('runs each day in order and says how far it is', { timeout: 120_000 }, async () => {
    const stretch = ['--from', '2024-03-10', '--to', '2024-03-11'];
    const { status, out, error } = await perennial('backfill', 'visits', ...stretch, '--force');
    expect([status, error]).toEqual([0, '']);
    expect(out).toMatch(/^back_.* of visits, 2024-03-10 to 2024-03-11: running\n/);
    expect(out).toContain('2024-03-10 done\n2024-03-11 done\n');
    expect(out).toMatch(/finished, 2 of 2 days done/);
    const { items } = await test.client.listRuns({ query: { pipeline: 'visits' } });
    expect(items.map((run) => [run.state, run.asOf.slice(0, 10), run.trigger.kind])).toEqual([
      ['succeeded', '2024-03-11', 'backfill'],
      ['succeeded', '2024-03-10', 'backfill'],
    ]);
    expect(Date.parse(items[0]?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(items[1]?.endedAt ?? ''));
  });

  it(
    'stops where there are no rows, says so with status 1, and can be resumed and stopped',
    { timeout: 120_000 },
    async () => {
      const stretch = ['--from', '2020-01-01', '--to', '2020-01-03'];
      const { status, out } = await perennial('backfill', 'visits', ...stretch);
      expect(status).toBe(1);
      expect(out).toMatch(/stopped, 0 of 3 days done\nThe run run_.* of 2020-01-01 failed: /);
      const id = /back_[0-9a-f-]+/.exec(out)?.[0] ?? '';
      expect((await perennial('backfill', '--stop', id)).error).toMatch(/is stopped: 'stop' is not possible/);
      const resumed = await perennial('backfill', '--resume', id);
      expect([resumed.status, resumed.out]).toEqual([1, expect.stringMatching(/stopped, 0 of 3 days done/)]);
      const { items } = await test.client.listBackfills({ query: { pipeline: 'visits' } });
      expect(items[0]).toMatchObject({
        id,
        state: 'stopped',
        nextDay: '2020-01-01',
      } satisfies Partial<Backfill>);
    },
  );

  it.each([
    [['visits'], /Pass a pipeline with --from and --to/, 2],
    [['--resume', 'a', '--stop', 'b'], /Pass a pipeline with --from and --to/, 2],
    [['visits', '--from', '2024-03-11', '--to', '2024-03-10'], /to: must not be before the first day/, 1],
    [['visits', '--from', 'yesterday', '--to', '2024-03-10'], /from: must be a day such as/, 1],
    [['unknown', '--from', '2024-03-10', '--to', '2024-03-10'], /no pipeline 'unknown'/, 1],
    [['--resume', 'back_1'], /must look like back_<uuid>/, 1],
    [['--resume', 'back_0190b0a4-0000-7000-8000-000000000000'], /no backfill 'back_0190b0a4/, 1],
  ])('refuses %j', async (command, message, status) => {
    const refused = await perennial('backfill', ...command);
    expect(refused.error).toMatch(message);
    expect(refused.status).toBe(status);
  });
});

describe('a pipeline runs itself', { timeout: 60_000 }, () => {
  it('when events have gathered in its stream', async () => {
    const events = [{ page: 'a' }, { page: 'b', seconds: 3 }, { page: 'c', bought: true }];
    expect(await test.client.postStreamEvents({ params: { stream: 'clicks' }, body: { events } })).toEqual({
      stream: 'clicks',
      accepted: 3,
    });
    const trigger = await firstTriggerOf('fed');
    expect(trigger).toMatchObject({
      kind: 'stream',
      outcome: 'ran',
      cause: { stream: { stream: 'clicks', events: 3 } },
    });
    expect(await runToEnd(test.client, trigger?.run ?? '')).toMatchObject({ state: 'succeeded' });
    const { items } = await test.client.listStreams({ query: {} });
    expect(items).toMatchObject([{ name: 'clicks', events: 3, gathered: 0 }]);
  });

  it('when a file of its source has changed and stands still', async () => {
    const [, row = ''] = toCsv(makeVisits({ from: '2024-03-16', days: 1, perDay: 1 })).split('\n');
    // What changes before the first look counts as taken: so it changes again, with time enough between to stand still.
    let looks = 0;
    const look = async () => {
      if (looks++ % 10 === 0) await appendFile(join(test.folder, 'pipelines/watched.csv'), `${row}\n`);
      test.clock.advance(1_000);
      return (await triggersOf('watched'))[0];
    };
    await expect.poll(look, { timeout: 30_000, interval: 500 }).toMatchObject({
      kind: 'file',
      outcome: 'ran',
      cause: { files: [{ name: '../watched.csv' }] },
    });
    const [trigger] = (await triggersOf('watched')).slice(-1);
    expect(await runToEnd(test.client, trigger?.run ?? '')).toMatchObject({ state: 'succeeded' });
  });

  it('or says why it did not', async () => {
    test.clock.set('2024-03-12T04:00:00Z');
    expect(await firstTriggerOf('quiet')).toMatchObject({
      kind: 'schedule',
      outcome: 'skipped',
      run: null,
      cause: { due: '2024-03-12T04:00:00.000Z' },
    });
    const { out } = await perennial('triggers', 'quiet', '--outcome', 'skipped');
    expect(out).toContain('It is 04:00 in UTC, within the quiet hours from 00:00 to 23:59.');
    expect(out).toContain('schedule: due 2024-03-12T04:00:00.000Z');
  });
});

describe('perennial triggers', () => {
  it('is newest first, as many as asked for, of one pipeline or all', async () => {
    const { out } = await perennial('triggers', '--limit', '2', '--json');
    const two = JSON.parse(out) as TriggerRecord[];
    expect(two).toHaveLength(2);
    expect((two[0]?.id ?? '') > (two[1]?.id ?? '')).toBe(true);
    expect((await triggersOf('visits')).map((trigger) => trigger.kind)).toContain('backfill');
    expect((await perennial('triggers', 'visits', '--outcome', 'ran')).out).toMatch(/backfill: back_/);
  });

  it.each([
    [['--limit', '0'], /--limit '0' is not a number from 1 to 500/],
    [['--outcome', 'lost'], /Allowed choices are ran, merged, skipped/],
  ])('refuses %j', async (command, message) => {
    const { status, error } = await perennial('triggers', ...command);
    expect([status, error]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('the API refuses', () => {
  it.each([
    [{ events: [] }, 'events'],
    [{ events: [{ nested: { a: 1 } }] }, 'events'],
    [{ events: [{ '': 1 }] }, 'events'],
    [{ events: 'all' }, 'events'],
  ])('events that are none: %j', async (body, path) => {
    const response = await test.request('/v1/streams/clicks/events', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain(path);
  });

  it('a stream whose name is none', async () => {
    const body = { events: [{ a: 1 }] };
    await expect(test.client.postStreamEvents({ params: { stream: 'Clicks!' }, body })).rejects.toMatchObject(
      {
        status: 400,
      },
    );
  });
});
